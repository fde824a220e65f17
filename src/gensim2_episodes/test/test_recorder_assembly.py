"""Frames from separate streams: only what belongs together, nothing stale, losses counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from episode_samples import sample_record
from gensim2_control.hardware import ARM_JOINTS, FINGER_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_episodes.assembly import RecorderConfig
from gensim2_episodes.errors import DatasetWriteError
from gensim2_episodes.frame import Frame
from gensim2_episodes.frame_builder import JointReading, SceneTruth, build_frame
from gensim2_episodes.recorder import FrameAssembler
from gensim2_episodes.recording import Recording
from gensim2_episodes.store import EpisodeStore
from hypothesis import given, settings
from hypothesis import strategies as st

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
KINEMATICS = Fr3Kinematics.from_urdf(URDF.read_text())
MS = 1_000_000
PERIOD = 100 * MS
HOME = (0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854)
STREAMS = ("joint_states", "controller_state", "gripper_command", "points", "scene")
STREAMS += ("depth left", "image left")
CONFIG = RecorderConfig(period_ns=PERIOD, cameras=("left",), depths=True)


def feed(assembler: FrameAssembler, stream: str, stamp_ns: int, mark: float | None = None) -> None:
    """Gives a sample whose content tells its stamp."""
    value = stamp_ns / 1e9 if mark is None else mark
    if stream == "joint_states":
        reading = JointReading(JOINTS, [*HOME[:6], value % 3, 0.02, 0.04], [value] * 9)
        assembler.add_joints(stamp_ns, reading)
    elif stream == "controller_state":
        assembler.add_reference(stamp_ns, JointReading(ARM_JOINTS, HOME, [value] * 7))
    elif stream == "gripper_command":
        assembler.add_gripper_reference(stamp_ns, value)
    elif stream == "points":
        xyz = np.full((4, 3), value, dtype=np.float32)
        assembler.add_cloud(stamp_ns, xyz, np.zeros((4, 3), np.uint8))
    elif stream == "scene":
        truth = SceneTruth(np.array([value]), np.array([value]), np.full((2, 3), value, np.float32))
        assembler.add_scene(stamp_ns, truth)
    elif stream == "depth left":
        depth = np.full((2, 2), round(value * 1000) % 65536, np.uint16)
        assembler.add_depth("left", stamp_ns, depth)
    else:
        image = np.full((2, 2, 3), round(value * 10) % 256, np.uint8)
        assembler.add_image("left", stamp_ns, image)


def is_of_one_stamp(frame: Frame) -> bool:
    t = frame.stamp_ns / 1e9
    assert frame.cloud_xyz is not None and frame.openness is not None
    assert frame.object_q is not None and frame.keypoints is not None
    return (
        bool(np.allclose(frame.q[6], t % 3) and np.allclose(frame.dq, t))
        and bool(np.allclose(frame.dq_ref, t) and np.isclose(frame.gripper_ref, t))
        and bool(np.allclose(frame.cloud_xyz, t) and np.allclose(frame.openness, t))
        and bool(np.allclose(frame.object_q, t) and np.allclose(frame.keypoints, t))
        and bool((frame.images["left"] == round(t * 10) % 256).all())
        and bool((frame.depths["left"] == round(t * 1000) % 65536).all())
    )


def test_frames_come_in_order_as_soon_as_they_are_complete() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=PERIOD)
    got: list[int] = []
    for tick in range(1, 6):
        for stream in STREAMS[:-1]:
            feed(assembler, stream, tick * PERIOD)
            assert list(assembler.take()) == []
            assert assembler.done_ns == (tick - 1) * PERIOD
        assert assembler.lacking() == ["image left"]
        feed(assembler, "image left", tick * PERIOD)
        frames = list(assembler.take())
        assert all(is_of_one_stamp(frame) for frame in frames)
        got += [frame.stamp_ns // PERIOD for frame in frames]
        assert assembler.done_ns == tick * PERIOD
    assert got == [1, 2, 3, 4, 5]
    assert assembler.report(5 * PERIOD + MS).lost == 0


def test_the_force_of_a_grip_is_kept_where_the_body_tells_it() -> None:
    for effort in (None, 12.5):
        assembler = FrameAssembler(RecorderConfig(PERIOD, cloud=False), KINEMATICS, start_ns=0)
        for stream in ("joint_states", "controller_state", "scene"):
            feed(assembler, stream, 0)
        assembler.add_gripper_reference(0, 0.02, effort)
        (frame,) = assembler.take()
        assert (frame.gripper_ref, frame.gripper_effort) == (0.02, effort)


def test_samples_between_ticks_are_never_used() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=0)
    for stamp in range(0, 3 * PERIOD, 5 * MS):
        if stamp % PERIOD:
            for stream in STREAMS:
                feed(assembler, stream, stamp)
    assert list(assembler.take()) == []
    report = assembler.report(3 * PERIOD - 5 * MS)
    assert report.lost == report.leading == 3 and set(report.missing) == set(STREAMS)


def test_what_was_before_the_episode_is_ignored() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=7 * PERIOD)
    for tick in (5, 6):
        for stream in STREAMS:
            feed(assembler, stream, tick * PERIOD)
    assert list(assembler.take()) == []
    for stream in STREAMS:
        feed(assembler, stream, 7 * PERIOD)
    assert [frame.stamp_ns for frame in assembler.take()] == [7 * PERIOD]
    assert assembler.report(7 * PERIOD + MS).lost == 0


def test_a_missing_sample_costs_one_frame_and_is_counted() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=0)
    got = []
    for tick in range(10):
        for stream in STREAMS:
            if (tick, stream) not in {(0, "points"), (4, "scene"), (5, "points"), (9, "points")}:
                feed(assembler, stream, tick * PERIOD)
        frames = list(assembler.take())
        assert all(is_of_one_stamp(frame) for frame in frames)
        got += [frame.stamp_ns // PERIOD for frame in frames]
    assert got == [1, 2, 3, 6, 7, 8]
    feed(assembler, "points", 5 * PERIOD)
    report = assembler.report(9 * PERIOD + MS)
    assert (report.leading, report.dropped, report.trailing, report.late) == (1, 2, 1, 1)
    assert report.missing == {"points": 3, "scene": 1}


def test_repeats_of_a_standing_clock_change_nothing() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=0)
    for stream in STREAMS:
        feed(assembler, stream, 0)
    assert len(list(assembler.take())) == 1
    for _ in range(3):
        feed(assembler, "joint_states", 0, mark=99.0)
        feed(assembler, "scene", 0, mark=99.0)
    assert list(assembler.take()) == []
    assert assembler.report(MS).lost == 0 and assembler.report(MS).late == 0


def test_a_jump_of_the_clock_is_survived_and_counted() -> None:
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=0)
    far = 1_700_000_000 * 10
    for tick in (0, far, far + 1):
        for stream in STREAMS:
            feed(assembler, stream, tick * PERIOD)
    ticks = [frame.stamp_ns // PERIOD for frame in assembler.take()]
    assert ticks == [0, far, far + 1]
    assert assembler.report((far + 1) * PERIOD + MS).dropped == far - 1


def test_a_silent_stream_does_not_keep_everything_in_memory() -> None:
    config = RecorderConfig(period_ns=PERIOD, cameras=("left",), max_pending=5)
    assembler = FrameAssembler(config, KINEMATICS, start_ns=0)
    for tick in range(30):
        for stream in STREAMS[:-1]:
            feed(assembler, stream, tick * PERIOD)
        assert list(assembler.take()) == []
    assert assembler.done_ns == 24 * PERIOD
    report = assembler.report(29 * PERIOD + MS)
    assert (report.leading, report.trailing, report.missing["image left"]) == (25, 5, 26)


def test_clouds_of_another_size_count_as_missing() -> None:
    assembler = FrameAssembler(RecorderConfig(PERIOD, truth=False), KINEMATICS, start_ns=0)
    for tick, points in enumerate((6, 0, 5, 6, 6)):
        for stream in ("joint_states", "controller_state", "gripper_command"):
            feed(assembler, stream, tick * PERIOD)
        xyz = np.ones((points, 3), np.float32)
        assembler.add_cloud(tick * PERIOD, xyz, np.zeros((points, 3), np.uint8))
    assert [frame.stamp_ns // PERIOD for frame in assembler.take()] == [0, 3, 4]
    assert assembler.report(4 * PERIOD + MS).dropped == 2


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_interleaving_gives_the_same_frames(data: st.DataObject) -> None:
    """Streams are cut and interleaved at will; within a stream the order stays."""
    ticks = 8
    lost = data.draw(
        st.sets(st.tuples(st.sampled_from(STREAMS), st.integers(0, ticks - 1)), max_size=6)
    )
    queues = {
        stream: [tick for tick in range(ticks) if (stream, tick) not in lost] for stream in STREAMS
    }
    assembler = FrameAssembler(CONFIG, KINEMATICS, start_ns=0)
    got: list[Frame] = []
    done = assembler.done_ns
    while any(queues.values()):
        stream = data.draw(st.sampled_from([name for name, queue in queues.items() if queue]))
        for _ in range(data.draw(st.integers(1, 3))):
            if queues[stream]:
                feed(assembler, stream, queues[stream].pop(0) * PERIOD)
        got += assembler.take()
        assert assembler.done_ns >= done
        done = assembler.done_ns
    complete = [t for t in range(ticks) if not any((stream, t) in lost for stream in STREAMS)]
    assert all(is_of_one_stamp(frame) for frame in got)
    stamps = [frame.stamp_ns // PERIOD for frame in got]
    # A tick is only given up once its stream has moved on: at the very end it stays open.
    open_from = min(
        (t for s, t in lost if not [u for u in range(t + 1, ticks) if (s, u) not in lost]),
        default=ticks,
    )
    assert stamps == [t for t in complete if t < open_from]
    assert assembler.report((ticks - 1) * PERIOD + MS).lost == ticks - len(got)


def test_frame_holds_kinematics_of_measured_and_commanded_joints() -> None:
    other = [*HOME[:6], 0.0]
    measured = JointReading(
        ("extra", *FINGER_JOINTS, *reversed(ARM_JOINTS)), [9.0, 0.01, 0.03, *reversed(HOME)]
    )
    frame = build_frame(5, measured, JointReading(ARM_JOINTS, other), 0.04, KINEMATICS)
    assert np.array_equal(frame.q, [*HOME, 0.01, 0.03]) and np.array_equal(frame.dq, np.zeros(9))
    assert frame.gripper == pytest.approx(0.02)
    for pose, q in ((frame.tcp_pose, HOME), (frame.tcp_ref, other)):
        T = KINEMATICS.fk(q)
        assert np.allclose(pose[:3], T[:3, 3]) and np.isclose(np.linalg.norm(pose[3:]), 1)
    assert not np.allclose(frame.tcp_pose[3:], frame.tcp_ref[3:])
    with pytest.raises(ValueError, match="fr3_joint7"):
        build_frame(5, measured, JointReading(ARM_JOINTS[:6], HOME[:6]), 0.04, KINEMATICS)
    with pytest.raises(ValueError, match="positions"):
        build_frame(5, measured, JointReading(ARM_JOINTS, HOME[:6]), 0.04, KINEMATICS)


def record(store: EpisodeStore, acks: list[tuple[int, bool]], start_ns: int = 0) -> Recording:
    return Recording(
        store.writer("OpenBox"),
        CONFIG,
        KINEMATICS,
        start_ns,
        lambda stamp, active: acks.append((stamp, active)),
    )


def test_recording_acknowledges_what_is_stored(tmp_path: Path) -> None:
    store, acks = EpisodeStore(tmp_path, create=True), []
    recording = record(store, acks, start_ns=3 * PERIOD)
    assert acks == [(3 * PERIOD, True)]
    for tick in (3, 4, 5):
        for stream in STREAMS:
            recording.feed(lambda to, s=stream, t=tick: feed(to, s, t * PERIOD))
            assert acks[-1][0] == (tick if stream == STREAMS[-1] else max(3, tick - 1)) * PERIOD
    report = recording.finish(5 * PERIOD + 40 * MS, timeout=60)
    assert report.lost == 0 and acks[-1] == (5 * PERIOD, False)
    manifest = recording.commit(sample_record(recording=report))
    recording.discard()
    assert store.open_episode(manifest.episode_id).stamp_ns.tolist() == [3e8, 4e8, 5e8]


def test_recording_that_misses_the_end_says_so(tmp_path: Path) -> None:
    recording = record(EpisodeStore(tmp_path, create=True), [])
    for stream in STREAMS:
        recording.feed(lambda to, s=stream: feed(to, s, 0))
    recording.feed(lambda to: feed(to, "joint_states", PERIOD))
    report = recording.finish(2 * PERIOD + MS, timeout=0.01)
    assert report.trailing == 2 and "points" in report.missing
    recording.discard()


def test_a_tick_on_which_time_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    """The motion has ended on it: what goes on from there belongs to the next episode."""
    recording = record(EpisodeStore(tmp_path, create=True), [])
    for tick in (0, 1):
        for stream in STREAMS:
            recording.feed(lambda to, s=stream, t=tick: feed(to, s, t * PERIOD))
    recording.feed(lambda to: feed(to, "joint_states", 2 * PERIOD - 5 * MS))
    recording.feed(lambda to: feed(to, "scene", 2 * PERIOD))
    report = recording.finish(2 * PERIOD, timeout=3600)
    assert report.lost == 0 and recording.frames == 2
    recording.discard()


def test_waiting_for_the_end_can_be_stopped(tmp_path: Path) -> None:
    recording = record(EpisodeStore(tmp_path, create=True), [])
    with pytest.raises(KeyError, match="cancelled"):
        recording.finish(PERIOD, timeout=3600, stopped=lambda: KeyError("cancelled"))
    recording.discard()


@pytest.mark.parametrize(
    ("error", "names"),
    [(DatasetWriteError("full"), JOINTS), (None, JOINTS[:5])],
    ids=["disk", "message"],
)
def test_recording_ends_with_an_error_and_lets_the_simulator_go(
    tmp_path: Path, error: Exception | None, names: tuple[str, ...]
) -> None:
    store, acks = EpisodeStore(tmp_path, create=True), []
    recording = record(store, acks)

    def joints(to: FrameAssembler) -> None:
        if error:
            raise error
        to.add_joints(0, JointReading(names, [0.0] * len(names)))

    for stream in STREAMS[1:]:
        recording.feed(lambda to, s=stream: feed(to, s, 0))
    recording.feed(joints)
    assert not recording.active and acks[-1][1] is False
    recording.feed(lambda to: feed(to, "joint_states", 0))
    with pytest.raises(type(error) if error else ValueError, match=r"full|fr3_joint6"):
        recording.finish(PERIOD, timeout=60)
    recording.discard()
    assert not list((tmp_path / "episodes").iterdir())


def test_settings_that_make_no_sense_are_refused() -> None:
    for period, tolerance in ((0, 0), (100, 50), (100, -1)):
        with pytest.raises(ValueError, match="period"):
            RecorderConfig(period, tolerance_ns=tolerance)
