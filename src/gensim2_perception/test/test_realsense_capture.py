"""A camera that falls silent, goes and comes back; what is said of it, and what is published."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from gensim2_control.report import Level, Report
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.realsense_capture import (
    Capture,
    CaptureState,
    RecordingEnded,
    SourceError,
    SourceInfo,
)
from gensim2_perception.realsense_health import assess_camera
from gensim2_perception.realsense_settings import CaptureSettings
from gensim2_perception.rgbd_frame import RgbdFrame, TimeDomain
from gensim2_perception.stamp_clock import StampClock
from hypothesis import given
from hypothesis import strategies as st

NS = 1_000_000_000
BEGIN_NS = 1_700_000_000 * NS
PERIOD_S = 0.1
SETTINGS = CaptureSettings(frame_timeout_s=1.0, reset_after=3, retry_s=2.0)
SILENCE = "silence"
UNPLUGGED = "unplugged"
ABSENT = "absent"
END = "end"
FRAME = "frame"
OLD = "old frame"
SAME = "same frame"

PICTURE = RgbdFrame(
    0,
    TimeDomain.GLOBAL,
    np.zeros((2, 3, 3), np.uint8),
    np.zeros((2, 3), np.uint16),
    PinholeIntrinsics(3, 2, 3.0, 3.0, 1.0, 0.5),
)


class Bench:
    """A camera that does what a script says, and the clocks.

    The script has one word per opening (`ABSENT`, else it is there) and per frame waited for.
    """

    def __init__(
        self,
        *script: str,
        settings: CaptureSettings = SETTINGS,
        domain: TimeDomain = TimeDomain.GLOBAL,
        device_offset_s: float = 0.0,
        info: SourceInfo | None = None,
    ) -> None:
        self.script = list(script)
        self.t = 0.0
        self.domain = domain
        self.device_offset_s = device_offset_s
        self.info = info or SourceInfo("fake", "0815", "5.16", "3.2", fps=10)
        self.open = 0
        self.resets = 0
        self.settings = settings
        self.got: list[RgbdFrame] = []
        self.got_at: list[int] = []
        self.capture = Capture(
            self.open_source,
            settings,
            self.take,
            now_ns=self.now_ns,
            steady_s=lambda: self.t,
        )

    def take(self, frame: RgbdFrame) -> None:
        self.got.append(frame)
        self.got_at.append(self.now_ns())

    def now_ns(self) -> int:
        return BEGIN_NS + round(self.t * NS)

    def open_source(self) -> Bench:
        if self.script[0] == ABSENT:
            self.script.pop(0)
            raise SourceError("no RealSense device found")
        assert self.open == 0, "it was opened while it was open"
        self.open += 1
        return self

    def wait(self, timeout_s: float) -> RgbdFrame | None:
        word = self.script.pop(0)
        if word == SILENCE:
            self.t += timeout_s
            return None
        if word == UNPLUGGED:
            raise SourceError("fake 0815 was unplugged")
        if word == END:
            raise RecordingEnded
        if word != SAME:
            self.t += PERIOD_S
        age_s = 5.0 if word == OLD else 0.02
        stamp_ns = self.now_ns() + round((self.device_offset_s - age_s) * NS)
        return replace(PICTURE, stamp_ns=stamp_ns, domain=self.domain)

    def reset(self) -> None:
        self.resets += 1
        self.close()

    def close(self) -> None:
        self.open = 0

    def play(self) -> Bench:
        while self.script and self.capture.status.state is not CaptureState.ENDED:
            rest_s = self.capture.step()
            self.t += rest_s
        return self

    def report(self) -> Report:
        return assess_camera(
            self.capture.status, self.settings.frame_timeout_s, self.settings.rebase
        )


def test_frames_pass_with_their_stamps() -> None:
    bench = Bench(FRAME, FRAME, FRAME).play()
    assert [frame.stamp_ns for frame in bench.got] == [
        BEGIN_NS + round((k * PERIOD_S - 0.02) * NS) for k in (1, 2, 3)
    ]
    assert bench.report().headline == (Level.OK, "streaming")


def test_a_silent_camera_is_reset_and_comes_back() -> None:
    bench = Bench(FRAME, SILENCE, SILENCE, SILENCE, ABSENT, ABSENT, FRAME)
    bench.play()
    status = bench.capture.status
    assert bench.resets == status.resets == 1
    assert (status.timeouts, status.reconnects, status.silent) == (3, 1, 0)
    assert status.state is CaptureState.STREAMING
    assert len(bench.got) == 2
    # Silence and pauses have passed: a frame kept from before would show here.
    assert bench.got[1].stamp_ns - bench.got[0].stamp_ns > 8 * NS
    assert bench.report().level is Level.OK


def test_single_missing_frames_are_counted_and_reset_nothing() -> None:
    bench = Bench(*(SILENCE, SILENCE, FRAME) * 4).play()
    status = bench.capture.status
    assert (status.timeouts, status.resets, status.reconnects, bench.resets) == (8, 0, 0, 0)
    assert len(bench.got) == 4


def test_silence_is_an_error_at_once_and_names_a_remedy() -> None:
    bench = Bench(FRAME, SILENCE, SILENCE).play()
    level, message = bench.report().headline
    assert level is Level.ERROR
    assert "no frame within 1 s" in message and "cable" in message


def test_an_unplugged_camera_is_opened_again() -> None:
    bench = Bench(FRAME, UNPLUGGED)
    bench.play()
    assert bench.report().headline == (Level.ERROR, "lost: fake 0815 was unplugged")
    bench.script = [ABSENT]
    bench.play()
    assert bench.report().headline == (Level.ERROR, "lost: no RealSense device found")
    bench.script = [FRAME, FRAME]
    bench.play()
    assert bench.capture.status.reconnects == 1
    assert bench.report().headline == (Level.OK, "streaming")


def test_a_camera_that_is_not_there_is_waited_for() -> None:
    bench = Bench(*[ABSENT] * 20)
    bench.play()
    assert bench.report().headline == (Level.ERROR, "opening: no RealSense device found")
    assert bench.t == pytest.approx(40.0), "it must not be looked for without a pause"
    bench.script = [FRAME]
    bench.play()
    # It was never lost.
    assert bench.capture.status.reconnects == 0
    assert len(bench.got) == 1


def test_an_old_frame_is_not_passed_on_as_a_new_one() -> None:
    bench = Bench(OLD, OLD).play()
    assert bench.got == []
    assert bench.capture.status.stale == 2
    level, message = bench.report().headline
    assert level is Level.ERROR and "too old" in message
    bench.script = [FRAME]
    bench.play()
    assert len(bench.got) == 1
    assert bench.report().level is Level.OK


def test_a_frame_delivered_twice_is_published_once() -> None:
    bench = Bench(FRAME, SAME, SAME, FRAME).play()
    assert len(bench.got) == 2


def test_a_clock_of_the_camera_is_moved_to_now_and_warned_of() -> None:
    bench = Bench(*[FRAME] * 4, domain=TimeDomain.HARDWARE, device_offset_s=-1.6e9).play()
    stamps = np.array([frame.stamp_ns for frame in bench.got])
    assert stamps[0] == BEGIN_NS + round(PERIOD_S * NS)
    np.testing.assert_allclose(np.diff(stamps) / NS, PERIOD_S, atol=1e-6)
    level, message = bench.report().headline
    assert level is Level.WARN and "camera's own clock" in message and "global_time" in message


def test_a_recording_of_long_ago_is_moved_to_now_without_warning() -> None:
    settings = replace(SETTINGS, rebase=True)
    bench = Bench(FRAME, FRAME, FRAME, device_offset_s=-1e6, settings=settings).play()
    assert [round((f.stamp_ns - BEGIN_NS) / NS, 6) for f in bench.got] == [0.1, 0.2, 0.3]
    assert bench.report().headline == (Level.OK, "streaming")


def test_a_recording_ends_the_capture() -> None:
    bench = Bench(FRAME, END)
    bench.capture.run(threading.Event())
    assert bench.capture.status.state is CaptureState.ENDED
    assert bench.open == 0, "it was left open"
    assert bench.report().headline == (Level.OK, "the recording has ended")


def test_an_end_is_obeyed_and_the_camera_closed() -> None:
    bench = Bench(*[FRAME] * 5)
    stop = threading.Event()
    words = bench.wait

    def wait(timeout_s: float) -> RgbdFrame | None:
        if len(bench.script) == 2:
            stop.set()
        return words(timeout_s)

    bench.wait = wait  # type: ignore[method-assign]
    bench.capture.run(stop)
    assert len(bench.got) == 4
    assert bench.open == 0


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (SourceInfo("D435", usb="2.1", fps=10), "USB 2"),
        (SourceInfo("D435", usb="3.2", fps=60), "less than half the rate"),
    ],
)
def test_a_poor_connection_is_warned_of(info: SourceInfo, text: str) -> None:
    bench = Bench(*[FRAME] * 80, info=info).play()
    level, message = bench.report().headline
    assert level is Level.WARN and text in message


def test_the_rate_of_a_camera_just_opened_is_no_matter() -> None:
    bench = Bench(*[FRAME] * 80, UNPLUGGED, *[FRAME] * 3).play()
    assert bench.capture.status.rate < 5.0
    assert bench.report().headline == (Level.OK, "streaming")


def test_figures_are_reported() -> None:
    values = Bench(*[FRAME] * 40).play().report().values
    assert 8.0 <= float(str(values["rate [1/s]"])) <= 11.0
    expected = {
        "serial": "0815",
        "firmware": "5.16",
        "usb": "3.2",
        "time domain": "global time",
        "age of last frame [s]": "0.000",
        "timeouts": 0,
    }
    assert {key: values[key] for key in expected} == expected


def faults() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([FRAME, SILENCE, UNPLUGGED, ABSENT, OLD, SAME]), max_size=60)


@given(faults())
def test_whatever_happens_it_goes_on_and_counts(script: list[str]) -> None:
    """Only fresh frames come out, each once, in order; and a good camera streams again."""
    bench = Bench(*script, FRAME, FRAME, FRAME)
    bench.play()
    stamps = [frame.stamp_ns for frame in bench.got]
    assert stamps == sorted(set(stamps))
    assert all(0 <= now - stamp <= NS for now, stamp in zip(bench.got_at, stamps, strict=True))
    status = bench.capture.status
    assert status.state is CaptureState.STREAMING
    assert status.problem == ""
    assert status.timeouts == script.count(SILENCE)
    assert status.resets == bench.resets


@given(
    st.integers(0, 2**62),
    st.lists(st.integers(1, NS), min_size=1, max_size=20),
    st.integers(0, 2**61),
)
def test_spacing_is_kept_when_clocks_are_moved(start: int, gaps: list[int], arrival: int) -> None:
    clock = StampClock(rebase=True)
    device = start + np.concatenate([[0], np.cumsum(gaps)])
    moved = [clock.stamp(int(d), TimeDomain.SYSTEM, arrival) for d in device]
    assert moved[0] == arrival
    assert [m - arrival for m in moved if m is not None] == [int(d) - start for d in device]


@pytest.mark.parametrize("domain", [TimeDomain.GLOBAL, TimeDomain.SYSTEM])
def test_the_time_of_this_computer_is_left_as_it_is(domain: TimeDomain) -> None:
    clock = StampClock(rebase=False)
    assert clock.stamp(BEGIN_NS, domain, BEGIN_NS + 30_000_000) == BEGIN_NS


def test_a_recording_that_begins_again_goes_on_in_time() -> None:
    clock = StampClock(rebase=True)
    assert clock.stamp(100, TimeDomain.SYSTEM, 1000) == 1000
    assert clock.stamp(200, TimeDomain.SYSTEM, 1100) == 1100
    assert clock.stamp(100, TimeDomain.SYSTEM, 1300) == 1300
    assert clock.stamp(200, TimeDomain.SYSTEM, 1390) == 1400
