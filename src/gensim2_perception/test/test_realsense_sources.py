"""The way of librealsense, from a device or a recording to aligned frames, without hardware."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyrealsense2 as rs
import pytest
from gensim2_perception.realsense_capture import Capture, FrameSource, RecordingEnded, SourceError
from gensim2_perception.realsense_device import (
    check_profiles,
    choose_preset,
    describe_profiles,
    find_device,
    open_device,
    open_recording,
)
from gensim2_perception.realsense_settings import (
    HOLE_FILLING,
    CaptureSettings,
    DeviceSettings,
    FilterSettings,
    StreamSettings,
)
from gensim2_perception.realsense_sources import SceneOpener
from gensim2_perception.recorded_scene import RecordedView, save_view
from gensim2_perception.rgbd_frame import RgbdFrame, TimeDomain
from gensim2_perception.software_camera import SoftwareCamera, SoftwareSource
from gensim2_perception.software_views import SoftwareView, recorded_view
from gensim2_perception.table_scene import TABLE_WITH_BOXES
from hypothesis import given
from hypothesis import strategies as st
from realsense_scenes import (
    CALIBRATIONS,
    FPS,
    HEIGHT,
    KINEMATICS,
    POSES,
    WIDTH,
    distance_to_scene,
    points_in_base,
    record,
    rms,
    view_of,
)
from scipy.spatial.transform import Rotation

from gensim2_perception import software_camera

GUARD_S = 30.0
CAMERA = "left_camera"
# Some are gone before the first is waited for, more on a busy computer.
RECORDED_FRAMES = 20
PLAIN = FilterSettings()
# What a fused cloud may be off [m].
TOLERANCE_M = 0.002


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "left.db3"
    record(path, CAMERA, RECORDED_FRAMES)
    return path


def software(camera: str = CAMERA, filters: FilterSettings = PLAIN) -> SoftwareSource:
    return SoftwareSource(SoftwareCamera(camera, view_of(camera), FPS, time.time_ns), filters)


def frame_of(source: FrameSource) -> RgbdFrame:
    frame = source.wait(GUARD_S)
    assert frame is not None
    return frame


@given(st.integers(10**18, 2 * 10**18), st.sampled_from([5, 6, 15, 30, 60]))
def test_software_cameras_take_their_pictures_at_the_same_instants(now_ns: int, fps: int) -> None:
    """Whenever they were started: pictures at random times of 5 Hz never make a cloud."""
    wait = software_camera.until_next(now_ns, fps)
    period = 1.0 / fps
    assert 0.1 * period - 1e-9 <= wait <= 1.1 * period + 1e-9
    period_ns = round(1e9 / fps)
    off_ns = (now_ns + round(wait * 1e9) + period_ns // 2) % period_ns - period_ns // 2
    assert abs(off_ns) < 1000


@pytest.mark.parametrize("camera", POSES)
def test_a_software_camera_sees_the_scene_where_it_is(camera: str) -> None:
    before = time.time_ns()
    with closing(software(camera)) as source:
        frame = frame_of(source)
    np.testing.assert_array_equal(frame.rgb, view_of(camera).rgb[0])
    assert before <= frame.stamp_ns + 1_000_000 <= time.time_ns() + 1_000_000
    assert frame.domain is TimeDomain.SYSTEM
    distance = distance_to_scene(points_in_base(frame, camera))
    # The depth imager stands beside the colour imager: without alignment boxes are displaced.
    assert len(distance) > 0.6 * WIDTH * HEIGHT
    assert rms(distance) < TOLERANCE_M, rms(distance)


def rolled_view(camera: str, roll_deg: float) -> SoftwareView:
    """A camera whose depth imager is turned about its axis, so that the sense of it counts."""
    view = view_of(camera)
    T_colour_depth = view.T_colour_depth.copy()
    T_colour_depth[:3, :3] = Rotation.from_euler("z", roll_deg, degrees=True).as_matrix()
    _, depth_mm = TABLE_WITH_BOXES.render(POSES[camera] @ T_colour_depth, view.depth)
    return replace(view, T_colour_depth=T_colour_depth, depth_mm=depth_mm[None])


@pytest.mark.parametrize("roll_deg", [0.0, 12.0])
def test_depth_is_that_of_the_colour_imager(roll_deg: float) -> None:
    """Pixel by pixel, which the surface alone does not show: a box shifted along the table."""
    view = rolled_view(CAMERA, roll_deg)
    with closing(SoftwareSource(SoftwareCamera(CAMERA, view, FPS, time.time_ns), PLAIN)) as source:
        frame = frame_of(source)
    _, truth = TABLE_WITH_BOXES.render(POSES[CAMERA], view.colour)
    both = (frame.depth_mm > 0) & (truth > 0)
    assert both.mean() > 0.6
    error = np.abs(frame.depth_mm.astype(float) - truth)[both]
    assert np.median(error) < 3.0
    # Pixels beside an edge may show what is behind it.
    assert np.mean(error > 20.0) < 0.03


def test_a_recording_gives_the_same_cloud(recording: Path) -> None:
    with closing(open_recording(recording, repeat=False, filters=PLAIN)) as source:
        assert source.info.serial == CAMERA
        frame = frame_of(source)
    with closing(software()) as live:
        same = frame_of(live)
    np.testing.assert_array_equal(frame.depth_mm, same.depth_mm)
    np.testing.assert_array_equal(frame.rgb, same.rgb)
    assert frame.intrinsics == same.intrinsics
    assert rms(distance_to_scene(points_in_base(frame, CAMERA))) < TOLERANCE_M


def test_a_recording_with_blue_first_is_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = software_camera._video_stream

    def blue_first(kind: rs.stream, pixels: rs.format, *rest: object) -> rs.video_stream:
        return make(kind, rs.format.bgr8 if kind == rs.stream.color else pixels, *rest)

    monkeypatch.setattr(software_camera, "_video_stream", blue_first)
    record(tmp_path / "left.db3", CAMERA, RECORDED_FRAMES)
    with closing(open_recording(tmp_path / "left.db3", repeat=False, filters=PLAIN)) as source:
        frame = frame_of(source)
    # It was fed with red first.
    np.testing.assert_array_equal(frame.rgb, view_of(CAMERA).rgb[0][..., ::-1])


def test_a_recording_ends_and_says_so(recording: Path) -> None:
    stamps = []
    with (
        closing(open_recording(recording, repeat=False, filters=PLAIN)) as source,
        pytest.raises(RecordingEnded),
    ):
        while len(stamps) <= RECORDED_FRAMES:
            frame = source.wait(1.0)
            if frame is not None:
                stamps.append(frame.stamp_ns)
    assert stamps
    assert stamps == sorted(set(stamps))


def test_a_repeated_recording_begins_again(recording: Path) -> None:
    with closing(open_recording(recording, repeat=True, filters=PLAIN)) as source:
        first = frame_of(source).stamp_ns
        ends = time.monotonic() + GUARD_S
        last = first
        while (stamp := frame_of(source).stamp_ns) >= last:
            assert time.monotonic() < ends, "it went on beyond its end"
            last = stamp
        assert last > first


@pytest.mark.parametrize(
    "filters",
    [
        FilterSettings(decimation=2),
        FilterSettings(decimation=4),
        FilterSettings(spatial=True),
        FilterSettings(temporal=True),
        *(FilterSettings(hole_filling=mode) for mode in HOLE_FILLING[1:]),
        FilterSettings(decimation=3, spatial=True, temporal=True, hole_filling="nearest"),
    ],
    ids=str,
)
def test_filters_keep_the_size_and_the_scene(filters: FilterSettings) -> None:
    with closing(software(filters=filters)) as source:
        frame = frame_of(source)
    assert frame.depth_mm.shape == (HEIGHT, WIDTH)
    assert frame.rgb.shape == (HEIGHT, WIDTH, 3)
    distance = distance_to_scene(points_in_base(frame, CAMERA))
    assert len(distance) > 0.6 * WIDTH * HEIGHT
    # A pixel of decimated depth is some pixels wide, and as flat as if it faced the camera.
    assert np.median(distance) < 0.006


def aligned_view(depth_mm: np.ndarray) -> SoftwareView:
    """A camera whose depth is of the colour imager."""
    colour = view_of(CAMERA).colour
    return SoftwareView(
        colour, colour, np.eye(4), np.zeros((1, HEIGHT, WIDTH, 3), np.uint8), depth_mm[None]
    )


def shown(view: SoftwareView, filters: FilterSettings = PLAIN) -> np.ndarray:
    """Depth that comes out for what a camera sees [mm]."""
    with closing(
        SoftwareSource(SoftwareCamera(CAMERA, view, FPS, time.time_ns), filters)
    ) as source:
        return frame_of(source).depth_mm


@pytest.mark.parametrize(
    ("mode", "beside_nearer", "beside_farther"),
    [("off", 0, 0), ("left", 800, 800), ("farthest", 1000, 800), ("nearest", 800, 600)],
)
def test_holes_are_filled_as_asked_for(mode: str, beside_nearer: int, beside_farther: int) -> None:
    """A hole with 800 mm to its left, and 1000 or 600 mm around it elsewhere."""
    for around, expected in ((1000, beside_nearer), (600, beside_farther)):
        depth_mm = np.full((HEIGHT, WIDTH), around, np.uint16)
        depth_mm[:, :150] = 800
        depth_mm[110:130, 150:160] = 0
        filled = shown(aligned_view(depth_mm), FilterSettings(hole_filling=mode))
        assert np.median(filled[110:130, 150:160]) == expected


def test_imagers_that_differ_only_in_place_are_aligned() -> None:
    """Two imagers of one kind, 60 mm apart: what is seen is displaced by many pixels."""
    view = view_of(CAMERA)
    T_colour_depth = np.eye(4)
    T_colour_depth[0, 3] = 0.06
    _, seen = TABLE_WITH_BOXES.render(POSES[CAMERA] @ T_colour_depth, view.colour)
    _, truth = TABLE_WITH_BOXES.render(POSES[CAMERA], view.colour)
    apart = SoftwareView(view.colour, view.colour, T_colour_depth, view.rgb, seen[None])
    depth_mm = shown(apart)
    both = (depth_mm > 0) & (truth > 0)
    assert both.mean() > 0.6
    assert np.mean(np.abs(depth_mm.astype(float) - truth)[both] > 20.0) < 0.03


def test_the_unit_of_the_camera_is_regarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A D405 counts in tenths of a millimetre."""
    monkeypatch.setattr(software_camera, "DEPTH_UNIT_M", 0.0001)
    rows = np.linspace(1000, 50000, HEIGHT).astype(np.uint16)
    raw = np.repeat(rows[:, None], WIDTH, axis=1)
    np.testing.assert_allclose(shown(aligned_view(raw)), raw / 10.0, atol=0.51)


def test_the_range_is_cut() -> None:
    with closing(software(filters=FilterSettings(depth_min_m=0.6, depth_max_m=0.9))) as source:
        depth_mm = frame_of(source).depth_mm
    kept = depth_mm[depth_mm > 0]
    assert kept.size > 1000
    assert kept.min() >= 600 and kept.max() <= 900
    with closing(software()) as source:
        everything = frame_of(source).depth_mm
    assert everything.max() > 900 and everything[everything > 0].min() < 600


@pytest.fixture
def opener() -> Callable[[], SceneOpener]:
    return lambda: SceneOpener(
        "wrist_camera", StreamSettings(WIDTH, HEIGHT, FPS), PLAIN, time.time_ns, CALIBRATIONS
    )


def test_a_camera_on_the_arm_waits_for_the_robot(opener: Callable[[], SceneOpener]) -> None:
    waiting = opener()
    with pytest.raises(SourceError, match="robot_description"):
        waiting()
    waiting.kinematics = KINEMATICS
    with closing(waiting()) as source:
        frame = frame_of(source)
    assert rms(distance_to_scene(points_in_base(frame, "wrist_camera"))) < TOLERANCE_M


def test_after_a_pause_the_newest_frame_comes_first() -> None:
    """A backlog that is worked off frame by frame would make everything late for good.

    The pipeline of librealsense keeps none; the camera relies on it.
    """
    clock = itertools.count(1_000_000_000, 33_000_000)
    camera = SoftwareCamera(CAMERA, view_of(CAMERA), FPS, lambda: next(clock))
    source = open_device(rs.context(), camera.device, DeviceSettings(), camera.stream, PLAIN)
    with closing(source):
        camera.feed()
        first = frame_of(source)
        for _ in range(5):
            camera.feed()
        newest = frame_of(source)
    assert newest.stamp_ns - first.stamp_ns == 5 * 33_000_000


@pytest.fixture
def device() -> Iterator[rs.device]:
    yield SoftwareCamera(CAMERA, view_of(CAMERA), FPS, time.time_ns).device


def test_a_missing_profile_is_answered_with_those_there_are(device: rs.device) -> None:
    with pytest.raises(SourceError, match=r"no depth profile 641 x 480 at 30 fps.*320 x 240 at 30"):
        check_profiles(device, StreamSettings(641, 480, 30))
    with pytest.raises(SourceError, match=r"software camera has no depth profile 320 x 240 at 15"):
        open_device(
            rs.context(), device, DeviceSettings(), StreamSettings(WIDTH, HEIGHT, 15), PLAIN
        )
    check_profiles(device, StreamSettings(WIDTH, HEIGHT, FPS))


def test_profiles_are_listed_largest_first() -> None:
    profiles = [(640, 480, 30), (1280, 720, 6), (640, 480, 6), (640, 480, 30)]
    assert describe_profiles(profiles) == "1280 x 720 at 6 fps; 640 x 480 at 6, 30 fps"


def test_a_preset_that_a_camera_lacks_is_refused(device: rs.device) -> None:
    with pytest.raises(
        SourceError, match="no visual preset 'High Accuracy'; this camera has: none"
    ):
        open_device(
            rs.context(),
            device,
            DeviceSettings(preset="High Accuracy"),
            StreamSettings(WIDTH, HEIGHT, FPS),
            PLAIN,
        )


def test_presets_are_found_by_name() -> None:
    offered = {0: "Custom", 3: "High Accuracy", 4: "High Density"}
    assert choose_preset("high_accuracy", offered) == 3
    with pytest.raises(SourceError, match="Custom, High Accuracy, High Density"):
        choose_preset("High", offered)


def test_without_a_camera_the_remedy_is_told() -> None:
    # A camera that happens to be plugged in is no part of this test.
    class NoBus:
        def query_devices(self) -> list[rs.device]:
            return []

    with pytest.raises(SourceError, match=r"USB 3 port\? Found serials: none"):
        find_device(NoBus(), "")  # type: ignore[arg-type]


def test_the_camera_of_another_serial_is_not_taken(device: rs.device) -> None:
    class Bus:
        def query_devices(self) -> list[rs.device]:
            return [device]

    bus = Bus()
    assert find_device(bus, CAMERA) is device  # type: ignore[arg-type]
    assert find_device(bus, "") is device  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=r"device 0815 found.*Found serials: left_camera"):
        find_device(bus, "0815")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["broken.db3", "broken.bag"])
def test_what_is_no_recording_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no recording" * 1000)
    with pytest.raises(SourceError, match=f"{name} cannot be played"):
        open_recording(path, repeat=False, filters=PLAIN)


def test_a_camera_that_stops_sending_is_opened_anew() -> None:
    """The state machine over librealsense itself: silence, reset, and frames again."""
    opened: list[SoftwareCamera] = []
    frames: list[RgbdFrame] = []

    def open_source() -> SoftwareSource:
        opened.append(SoftwareCamera(CAMERA, view_of(CAMERA), FPS, time.time_ns))
        return SoftwareSource(opened[-1], PLAIN)

    capture = Capture(
        open_source,
        CaptureSettings(frame_timeout_s=0.5, reset_after=2, retry_s=0.01),
        frames.append,
        now_ns=time.time_ns,
        steady_s=time.monotonic,
    )
    ends = time.monotonic() + GUARD_S

    def step_until(condition: Callable[[], bool]) -> None:
        while not condition():
            assert time.monotonic() < ends, capture.status
            capture.step()

    step_until(lambda: len(frames) >= 3)
    # As if its cable were pulled.
    opened[0].stop()
    step_until(lambda: len(opened) == 2)
    before = len(frames)
    step_until(lambda: len(frames) > before)
    opened[1].stop()
    status = capture.status
    assert (status.resets, status.reconnects, status.problem) == (1, 1, "")
    assert status.timeouts >= 2
    stamps = [frame.stamp_ns for frame in frames]
    assert stamps == sorted(set(stamps))
    capture.run(stopped())


def stopped() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def test_a_closed_source_says_so() -> None:
    source = software()
    source.close()
    source.close()
    with pytest.raises(SourceError, match="closed"):
        source.wait(0.1)


def test_a_picture_is_saved_and_played(opener: Callable[[], SceneOpener], tmp_path: Path) -> None:
    """What one camera has seen, real or simulated, another shows without hardware."""
    taking = opener()
    taking.kinematics = KINEMATICS
    with closing(taking()) as source:
        taken = frame_of(source)
    view = RecordedView(
        taken.rgb[None], taken.depth_mm[None], taken.intrinsics, POSES["wrist_camera"]
    )
    save_view(view, tmp_path, "wrist_camera")

    playing = SceneOpener(
        "wrist_camera", StreamSettings(1280, 720, FPS), PLAIN, time.time_ns, calibrations=None
    )
    playing.load(tmp_path)
    with closing(playing()) as source:
        played = frame_of(source)
    np.testing.assert_array_equal(played.depth_mm, taken.depth_mm)
    np.testing.assert_array_equal(played.rgb, taken.rgb)
    assert played.intrinsics == taken.intrinsics
    assert played.stamp_ns > taken.stamp_ns


def test_a_recorded_view_is_shown_picture_by_picture() -> None:
    view = view_of(CAMERA)
    rgb = np.stack([view.rgb[0], 255 - view.rgb[0]])
    depth_mm = np.stack([np.full((HEIGHT, WIDTH), v, np.uint16) for v in (700, 800)])
    replayed = recorded_view(RecordedView(rgb, depth_mm, view.colour, POSES[CAMERA]))
    with closing(
        SoftwareSource(SoftwareCamera(CAMERA, replayed, FPS, time.time_ns), PLAIN)
    ) as source:
        frames = [frame_of(source) for _ in range(4)]
    depths = {int(np.median(frame.depth_mm)) for frame in frames}
    assert depths == {700, 800}
    for frame in frames:
        index = 0 if np.median(frame.depth_mm) == 700 else 1
        np.testing.assert_array_equal(frame.depth_mm, depth_mm[index])
        np.testing.assert_array_equal(frame.rgb, rgb[index])
