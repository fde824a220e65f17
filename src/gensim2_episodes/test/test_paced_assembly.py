"""Frames of a real robot: what belongs together by time, nothing stale, losses counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from episode_samples import sample_record
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.assembly import RecorderConfig
from gensim2_episodes.check import check_episode
from gensim2_episodes.frame import Frame
from gensim2_episodes.frame_builder import JointReading, SceneTruth
from gensim2_episodes.manifest import Rates
from gensim2_episodes.paced import PacedAssembler, missed
from gensim2_episodes.recording import Recording
from gensim2_episodes.store import EpisodeStore
from hypothesis import given, settings
from hypothesis import strategies as st

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
KINEMATICS = Fr3Kinematics.from_urdf(URDF.read_text())
MS = 1_000_000
PERIOD = 100 * MS
HOME = np.array([0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854])
SPEED = np.array([0.3, -0.2, 0.1, 0.05, 0.2, -0.1, 0.4])
CONFIG = RecorderConfig(PERIOD, paced=True)
IMAGES = RecorderConfig(PERIOD, cloud=False, cameras=("left", "right"), paced=True)
STATE = RecorderConfig(PERIOD, cloud=False, paced=True)


def q_at(stamp_ns: int) -> np.ndarray:
    """Where the arm is: it moves evenly."""
    return HOME + SPEED * stamp_ns * 1e-9


def feed(to: PacedAssembler, stream: str, stamp_ns: int) -> None:
    """Gives a sample whose content tells its stamp."""
    t = stamp_ns * 1e-9
    if stream == "joint_states":
        q = [*q_at(stamp_ns), 0.02, 0.02]
        to.add_joints(stamp_ns, JointReading(JOINTS, q, [*SPEED, 0.0, 0.0]))
    elif stream == "controller_state":
        to.add_reference(stamp_ns, JointReading(ARM_JOINTS, q_at(stamp_ns) + 0.1, SPEED))
    elif stream == "gripper_command":
        to.add_gripper_reference(stamp_ns, t)
    elif stream == "points":
        to.add_cloud(stamp_ns, np.full((4, 3), t, np.float32), np.zeros((4, 3), np.uint8))
    elif stream == "scene":
        to.add_scene(stamp_ns, SceneTruth(np.array([t]), np.array([t]), None))
    else:
        image = np.full((2, 2, 3), round(stamp_ns / MS) % 256, np.uint8)
        to.add_image(stream.removeprefix("image "), stamp_ns, image)


def stamps(rate: float, offset_ms: float, until: float = 3.0) -> list[int]:
    """Stamps of a stream of its own clock [ns]."""
    count = int(until * rate)
    return [round((offset_ms * 1e-3 + i / rate) * 1e9) for i in range(count)]


def run(config: RecorderConfig, streams: dict[str, Sequence[int]]) -> list[Frame]:
    """The frames of streams whose samples come in the order of their stamps."""
    return run_with(PacedAssembler(config, KINEMATICS, 0), streams)


def run_with(assembler: PacedAssembler, streams: dict[str, Sequence[int]]) -> list[Frame]:
    frames: list[Frame] = []
    for stamp, stream in sorted((s, name) for name, all_of in streams.items() for s in all_of):
        feed(assembler, stream, stamp)
        frames += assembler.take()
    return frames


def graph(cloud: Sequence[int], until: float = 3.0) -> dict[str, Sequence[int]]:
    """A real robot: nothing has the stamps of anything else."""
    return {
        "joint_states": stamps(100, 3.1, until),
        "controller_state": stamps(50, 7.7, until),
        "gripper_command": stamps(50, 8.1, until),
        "scene": stamps(10, 51.0, until),
        "points": cloud,
    }


@pytest.mark.parametrize("fps", [10.0, 15.0, 29.97, 30.0])
def test_joints_are_those_of_the_moment_of_the_cloud(fps: float) -> None:
    """Although no joint state has the stamp of a cloud."""
    cloud = stamps(fps, 41.3)
    frames = run(CONFIG, graph(cloud))
    assert 26 <= len(frames) <= 30
    for frame in frames:
        assert frame.stamp_ns in cloud
        assert frame.cloud_xyz is not None
        np.testing.assert_allclose(frame.cloud_xyz, frame.stamp_ns * 1e-9, rtol=1e-6)
        np.testing.assert_allclose(frame.q[:7], q_at(frame.stamp_ns), atol=1e-12)
        np.testing.assert_allclose(frame.q_ref, q_at(frame.stamp_ns) + 0.1, atol=1e-12)
        assert abs(frame.gripper_ref - frame.stamp_ns * 1e-9) <= 0.0101
        assert frame.openness is not None
        assert abs(frame.openness[0] - frame.stamp_ns * 1e-9) <= 0.051


@given(drift=st.floats(-2e-3, 2e-3), offset=st.floats(15, 99), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_camera_with_a_clock_of_its_own_loses_nothing(
    drift: float, offset: float, seed: int
) -> None:
    """As fast as the observations, a bit faster or slower, and never quite on time."""
    rng = np.random.default_rng(seed)
    even = np.array(stamps(10.0 * (1 + drift), offset, until=20.0))
    cloud = [int(s) for s in even + rng.integers(-8 * MS, 8 * MS, len(even)) + 10 * MS]
    assembler = PacedAssembler(CONFIG, KINEMATICS, 0)
    frames = run_with(assembler, graph(cloud, until=22.0))
    assert len(frames) == len(cloud)
    assert assembler.report(cloud[-1]).lost == 0


def test_a_camera_that_sleeps_is_counted_and_nothing_is_filled_in() -> None:
    cloud = [s for s in stamps(30, 10.0) if not 1_000 * MS < s < 1_480 * MS]
    assembler = PacedAssembler(CONFIG, KINEMATICS, 0)
    frames = run_with(assembler, graph(cloud))
    report = assembler.report(cloud[-1])
    assert report.dropped == 5 and report.missing == {"points": 5}
    assert report.paced_by == "points"
    gaps = np.diff([frame.stamp_ns for frame in frames])
    assert sum(missed(int(gap), PERIOD) for gap in gaps) == 5
    # Afterwards it goes on at the old pace.
    assert np.abs(gaps[-10:] - PERIOD).max() < 2 * MS


def test_a_gap_of_the_robot_costs_the_frames_within_it() -> None:
    """Joints are not made up over a quarter of a second."""
    streams = graph(stamps(10, 20.0))
    streams["joint_states"] = [
        s for s in streams["joint_states"] if not 1_000 * MS < s < 1_250 * MS
    ]
    assembler = PacedAssembler(CONFIG, KINEMATICS, 0)
    frames = run_with(assembler, streams)
    lost = {1_020 * MS, 1_120 * MS, 1_220 * MS}
    assert not lost & {frame.stamp_ns for frame in frames}
    report = assembler.report(2_900 * MS)
    assert (report.dropped, report.missing) == (3, {"joint_states": 3})


def test_pictures_of_other_cameras_are_the_nearest() -> None:
    streams = graph([])
    streams |= {"image left": stamps(30, 0.0), "image right": stamps(30, 14.0)}
    del streams["points"]
    frames = run(IMAGES, streams)
    assert len(frames) >= 26
    for frame in frames:
        left, right = (int(frame.images[name][0, 0, 0]) for name in ("left", "right"))
        assert left == round(frame.stamp_ns / MS) % 256
        assert min((right - left) % 256, (left - right) % 256) <= 20


def test_without_pictures_the_joint_states_set_the_pace() -> None:
    streams = graph([])
    del streams["points"]
    frames = run(STATE, streams)
    assert 28 <= len(frames) <= 30
    assert all(frame.stamp_ns in streams["joint_states"] for frame in frames)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_interleaving_gives_the_same_frames(data: st.DataObject) -> None:
    """Transport may deliver a stream earlier or later than another; the frames are the same."""
    streams = graph(stamps(15, 20.0, 0.6), until=0.9)
    expected = run(CONFIG, streams)
    assert len(expected) >= 5
    queues = {name: list(all_of) for name, all_of in streams.items()}
    assembler = PacedAssembler(CONFIG, KINEMATICS, 0)
    got: list[Frame] = []
    while any(queues.values()):
        name = data.draw(st.sampled_from([name for name, queue in queues.items() if queue]))
        count = data.draw(st.integers(1, len(queues[name])))
        for stamp in queues[name][:count]:
            feed(assembler, name, stamp)
        del queues[name][:count]
        got += assembler.take()
    assert [frame.stamp_ns for frame in got] == [frame.stamp_ns for frame in expected]
    for frame, same in zip(got, expected, strict=True):
        assert np.array_equal(frame.q, same.q)
        assert frame.gripper_ref == same.gripper_ref


def test_what_was_before_the_episode_is_ignored() -> None:
    assembler = PacedAssembler(CONFIG, KINEMATICS, 1_000 * MS)
    frames = run_with(assembler, graph(stamps(10, 20.0)))
    assert 1_000 * MS < frames[0].stamp_ns <= 1_120 * MS
    assert assembler.report(2_920 * MS).leading == 0


def test_such_an_episode_is_stored_and_sound(tmp_path: Path) -> None:
    """The check counts gaps as the recorder does."""
    store = EpisodeStore(tmp_path, create=True)
    cloud = [s for s in stamps(15, 20.0) if not 1_000 * MS < s < 1_400 * MS]
    with store.writer("OpenBox") as writer:
        writer.label("objects", ("box",))
        recording = Recording(writer, CONFIG, KINEMATICS, 0)
        for stamp, name in sorted((s, n) for n, all_of in graph(cloud).items() for s in all_of):
            recording.feed(lambda to, s=stamp, n=name: feed(to, n, s))
        report = recording.finish(2_900 * MS, 1.0)
        assert report.dropped == 4
        record = sample_record().model_copy(
            update={"recording": report, "rates": Rates(observation=10.0)}
        )
        recording.commit(record)
    (info,) = store.episodes()
    assert check_episode(store, info) == []
