"""The stream as a whole: what is heard in any order becomes clouds in order, or a stated reason."""

from collections.abc import Iterable

import numpy as np
import pytest
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.joint_history import JointHistory
from gensim2_control.report import Level, Report
from gensim2_perception.camera_poses import CameraPoses
from gensim2_perception.fusion import FusedCloud, Fusion, FusionConfig
from gensim2_perception.health import assess
from gensim2_perception.pipeline import FusionPipeline, PipelineConfig
from gensim2_perception.static_transforms import StaticTransforms, inverse
from hypothesis import given, settings
from hypothesis import strategies as st
from perception_scenes import CAMERAS, INTRINSICS, distance_to_box, ray_cast

TICK = 100_000_000
IMAGES = {camera: ray_cast(T) for camera, T in CAMERAS.items()}
HOME = np.array([0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854])


class Turntable:
    """Kinematics of an arm whose hand turns about z of the base with the first joint."""

    def fk(self, q: np.ndarray, link: str) -> np.ndarray:
        assert link == "fr3_hand"
        T = np.eye(4)
        T[:2, :2] = [[np.cos(q[0]), -np.sin(q[0])], [np.sin(q[0]), np.cos(q[0])]]
        return T


class Bench:
    """A pipeline with clocks that stand still until they are moved."""

    def __init__(self, *, calibrated: bool = True, **config: object) -> None:
        self.ros_ns = 0
        self.wall_s = 0.0
        self.pipeline = FusionPipeline(
            PipelineConfig(cameras=tuple(CAMERAS), **config),  # type: ignore[arg-type]
            Fusion(FusionConfig(num_points=128)),
            CameraPoses(StaticTransforms(), JointHistory(ARM_JOINTS)),
            now_ns=lambda: self.ros_ns,
            steady_s=lambda: self.wall_s,
        )
        for camera in CAMERAS:
            self.pipeline.camera_model(camera, INTRINSICS)
        if calibrated:
            self.calibrate()
            self.pipeline.kinematics(Turntable())

    def calibrate(self) -> None:
        for camera, T_base_optical in CAMERAS.items():
            # The hand stands at the base when the first joint is at zero.
            parent = "fr3_hand" if camera == "wrist_camera" else "base"
            self.pipeline.static_transform(parent, f"{camera}_color_optical_frame", T_base_optical)

    def image(self, camera: str, kind: str, stamp_ns: int) -> None:
        depth, rgb = IMAGES[camera]
        if kind == "colour":
            self.pipeline.colour(camera, stamp_ns, f"{camera}_color_optical_frame", rgb)
        else:
            self.pipeline.depth(camera, stamp_ns, depth)

    def frames(self, stamp_ns: int, cameras: Iterable[str] = CAMERAS) -> None:
        for camera in cameras:
            self.image(camera, "colour", stamp_ns)
            self.image(camera, "depth", stamp_ns)

    def joints(self, stamp_ns: int, q1: float = 0.0) -> None:
        self.pipeline.joint_state(stamp_ns, ARM_JOINTS, [q1, *HOME[1:]])

    def run(self, after_s: float = 0.0) -> list[FusedCloud]:
        self.wall_s += after_s
        return self.pipeline.run()

    def report(self, component: str) -> Report:
        return assess(self.pipeline)[component]


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[str, ...]]:
    """Topics are in order, each by itself; how they interleave is anybody's guess."""
    ticks = draw(st.integers(1, 5))
    topics = [(camera, kind) for camera in CAMERAS for kind in ("colour", "depth")]
    order = draw(st.permutations([t for t in [*topics, ("joints", "")] for _ in range(ticks)]))
    return list(order)


@given(streams())
@settings(max_examples=40, deadline=None)
def test_every_tick_gives_one_whole_cloud_in_order(stream: list[tuple[str, str]]) -> None:
    """The recorder waits for each tick; one lost cloud stops the collection."""
    bench = Bench()
    sent: dict[tuple[str, str], int] = {}
    clouds = []
    for topic in stream:
        stamp = sent.get(topic, 0) * TICK
        sent[topic] = sent.get(topic, 0) + 1
        if topic[0] == "joints":
            bench.joints(stamp)
        else:
            bench.image(*topic, stamp)
        clouds += bench.run()
    assert [c.stamp_ns for c in clouds] == [k * TICK for k in range(len(stream) // 7)]
    for cloud in clouds:
        assert not cloud.missing and cloud.xyz.shape == (128, 3)


def test_wrist_cloud_follows_the_arm_at_the_stamp_of_the_image() -> None:
    """With the newest joint state instead, the wrist cloud smears by what the arm moved since."""
    bench = Bench()
    angle = 0.4
    # The picture was taken half way between two samples, while the wrist camera stood turned by
    # half the angle; undoing that turn in the calibration puts its points back onto the box.
    T_undo = inverse(Turntable().fk(np.array([angle / 2]), "fr3_hand"))
    bench.pipeline.static_transform(
        "fr3_hand", "wrist_camera_color_optical_frame", T_undo @ CAMERAS["wrist_camera"]
    )
    bench.joints(0, 0.0)
    bench.frames(5_000_000)
    assert bench.run() == [], "no joint state at or after the image yet"
    bench.joints(10_000_000, angle)
    (cloud,) = bench.run()
    assert distance_to_box(cloud.xyz).max() < 0.002


def test_missing_camera_is_reported_survived_and_welcomed_back() -> None:
    bench = Bench(camera_deadline_s=0.5)
    bench.joints(0)
    bench.frames(0, ["wrist_camera", "left_camera"])
    assert bench.run(0.4) == []
    (partial,) = bench.run(0.2)
    assert set(partial.missing) == {"right_camera"}
    assert bench.report("right_camera").level is Level.WARN
    assert bench.report("clouds").message == "partial, without right_camera"
    bench.joints(TICK)
    bench.frames(TICK)
    (whole,) = bench.run()
    assert not whole.missing
    assert bench.report("clouds").level is Level.OK
    assert bench.report("right_camera").headline == (Level.OK, "fresh")
    bench.joints(2 * TICK)
    bench.frames(2 * TICK, ["wrist_camera", "left_camera"])
    assert len(bench.run(0.6)) == 1
    assert bench.report("right_camera").level is Level.ERROR


@pytest.mark.parametrize("absent", ["joints", "calibration"])
def test_unknown_pose_costs_one_deadline_and_then_one_camera(absent: str) -> None:
    bench = Bench(calibrated=False, pose_deadline_s=0.5)
    bench.pipeline.kinematics(Turntable())
    if absent == "joints":
        bench.calibrate()
    else:
        bench.joints(0)
        for camera in ("left_camera", "right_camera"):
            bench.pipeline.static_transform(
                "base", f"{camera}_color_optical_frame", CAMERAS[camera]
            )
    bench.frames(0)
    assert bench.run() == []
    assert bench.pipeline.waits_for
    (partial,) = bench.run(0.6)
    assert set(partial.missing) == {"wrist_camera"}
    reason = "joint state" if absent == "joints" else "/tf_static"
    assert reason in partial.missing["wrist_camera"]
    bench.frames(TICK)
    if absent == "calibration":
        bench.joints(TICK)
    assert len(bench.run()) == 1, "not another deadline for every cloud"
    if absent == "joints":
        bench.joints(TICK)
    else:
        bench.calibrate()
    bench.frames(2 * TICK)
    assert bench.run() == [], "the joints came back, so they are waited for again"
    bench.joints(2 * TICK)
    (whole,) = bench.run()
    assert not whole.missing


def test_too_few_cameras_make_no_cloud() -> None:
    bench = Bench(min_cameras=3)
    bench.joints(0)
    bench.frames(0, ["left_camera"])
    bench.run()
    assert bench.run(1.0) == []
    assert bench.pipeline.counts.too_few == 1
    assert bench.report("clouds").message.endswith("no frame of wrist_camera, right_camera")
    with pytest.raises(ValueError, match="min_cameras"):
        PipelineConfig(cameras=("a",), min_cameras=2)


def test_stale_and_future_frames_are_never_published_as_fresh() -> None:
    bench = Bench(max_age_s=0.2)
    bench.ros_ns = 10 * TICK
    for stamp, fresh in ((7, False), (8, True), (12, True), (13, False)):
        bench.joints(stamp * TICK)
        bench.frames(stamp * TICK)
        assert len(bench.run()) == fresh, stamp
    assert (bench.pipeline.counts.stale, bench.pipeline.counts.future) == (1, 1)


def test_age_is_not_judged_before_the_clock_is_known() -> None:
    """With use_sim_time the clock reads 0 until the first /clock; the first tick must not go."""
    bench = Bench(max_age_s=0.2)
    bench.joints(100 * TICK)
    bench.frames(100 * TICK)
    assert len(bench.run()) == 1


@pytest.mark.parametrize("first", ["joints", "frames"])
def test_clock_set_back_starts_afresh(first: str) -> None:
    """A restarted simulation must not be fused with joints of the one before."""
    bench = Bench()
    bench.joints(50 * TICK, q1=1.0)
    bench.frames(50 * TICK)
    assert len(bench.run()) == 1
    bench.frames(51 * TICK)
    assert bench.run() == []
    for step in (first, "frames" if first == "joints" else "joints"):
        if step == "joints":
            bench.joints(TICK)
        else:
            bench.frames(TICK)
        clouds = bench.run()
    assert [c.stamp_ns for c in clouds] == [TICK]
    assert not clouds[0].missing
    assert distance_to_box(clouds[0].xyz).max() < 0.002
    assert bench.pipeline.matcher.counts.jumps == 1


def test_diagnostics_say_what_is_awaited() -> None:
    bench = Bench(calibrated=False)
    assert bench.report("clouds").message.startswith("no cloud yet: no frame of wrist_camera")
    bench.image("left_camera", "colour", 0)
    assert bench.report("left_camera").message == "no frame yet: no aligned depth image"
    bench.image("left_camera", "depth", 1)
    assert "never have the same stamp" in bench.report("left_camera").message
    bench.frames(TICK)
    bench.run()
    assert "/tf_static" in bench.report("clouds").message


def test_a_stopped_stream_is_an_error_but_a_stopped_clock_is_not() -> None:
    bench = Bench()
    bench.ros_ns = TICK
    bench.joints(TICK)
    bench.frames(TICK)
    bench.run()
    bench.wall_s += 100.0
    assert {f.level for f in assess(bench.pipeline).values()} == {Level.OK}
    bench.ros_ns += 30 * TICK
    assert {f.level for f in assess(bench.pipeline).values()} == {Level.ERROR}


def test_of_several_that_are_ready_only_the_newest_is_fused_where_that_is_wanted() -> None:
    """Real cameras do not wait: whoever fuses all that lies in a queue stays behind for ever."""
    bench = Bench(newest_only=True)
    for tick in (1, 2, 3):
        bench.joints(tick * TICK)
        for camera in CAMERAS:
            for kind in ("colour", "depth"):
                bench.image(camera, kind, tick * TICK)
    taken = bench.pipeline.take()
    assert taken is not None and {f.stamp_ns for f in taken.frames} == {3 * TICK}
    assert bench.pipeline.take() is None
    assert bench.pipeline.fuse(taken).stamp_ns == 3 * TICK
    assert bench.pipeline.counts.skipped == 2
    bench.ros_ns = 3 * TICK
    clouds = assess(bench.pipeline)["clouds"]
    assert clouds.values["dropped: a newer one was ready"] == "2"
