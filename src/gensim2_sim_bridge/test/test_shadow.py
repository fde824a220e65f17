"""The shadow is where the joints and the scene say, and shows a plan until the robot moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.hardware import FINGER_MAX, HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.cameras import CameraConfig
from gensim2_sim_bridge.preview import Mode, Motion, Preview, PreviewConfig
from gensim2_sim_bridge.shadow import Shadow, captioned, looking_at
from gensim2_sim_bridge.world import World
from gensim2_tasks.placement import PlacedObject
from hypothesis import given
from hypothesis import strategies as st

from gensim2_tasks import se3

Draw = Callable[..., tuple[PlacedObject, ...]]
HOME = np.array([*HOME_Q, FINGER_MAX, FINGER_MAX])
SMALL = CameraConfig(64, 48)
LOOK = np.array([1.35, -0.95, 0.85]), np.array([0.35, 0.0, 0.25])


@pytest.fixture(scope="module")
def shadow(urdf: str, calibrations: CameraCalibrations) -> Shadow:
    return Shadow(World(urdf), calibrations, SMALL, LOOK, SMALL)


def links(shadow: Shadow) -> dict[str, Array]:
    """Where SAPIEN renders the links, T_base_link (4, 4)."""
    return {
        link.name: link.entity.pose.to_transformation_matrix() for link in shadow.world.robot.links
    }


def test_its_links_are_where_kinematics_say(shadow: Shadow, kinematics: Fr3Kinematics) -> None:
    """Kinematics that are not the simulator's; arms anywhere, also in the table."""
    random = np.random.default_rng(7)
    for _ in range(20):
        q = np.array(HOME_Q) + random.uniform(-0.5, 0.5, 7)
        fingers = random.uniform(0.0, FINGER_MAX, 2)
        shadow.look(np.append(q, fingers))
        found = links(shadow)
        for name in ("fr3_link1", "fr3_link4", "fr3_link7", "fr3_hand"):
            np.testing.assert_allclose(found[name], kinematics.fk(q, name), atol=2e-6)
        for name, finger, side in (("left", fingers[0], 1.0), ("right", fingers[1], -1.0)):
            T_hand_finger = se3.inverse(found["fr3_hand"]) @ found[f"fr3_{name}finger"]
            assert T_hand_finger[1, 3] == pytest.approx(side * finger, abs=2e-6)


def test_its_objects_are_open_as_far_as_the_scene_says(shadow: Shadow, draw: Draw) -> None:
    """A joint is followed in the scene there is; another place or object makes a new one."""
    (drawer,) = draw("OpenDrawer", 3)
    low, high = drawer.asset.tree.moving.limits
    shadow.set_scene((drawer,))
    former = shadow.world.scene
    for q in np.linspace(low, high, 5):
        opened = replace(drawer, joint_position=float(q))
        shadow.set_scene((opened,))
        assert not shadow.set_scene((opened,)), "that is no change"
        shadow.look(HOME)
        np.testing.assert_allclose(
            shadow.world.part_pose(drawer.name), opened.T_base_part, atol=1e-6
        )
    assert shadow.world.scene is former
    T = drawer.T_base_root.copy()
    T[:2, 3] += 0.05
    assert shadow.set_scene((replace(drawer, T_base_root=T),))
    assert shadow.world.scene is not former
    assert shadow.world.objects[0].T_base_root is T
    (box,) = draw("OpenBox", 3)
    shadow.set_scene((box,))
    assert [str(o.asset.ref) for o in shadow.world.objects] == [str(box.asset.ref)]
    shadow.set_scene(())
    assert shadow.world.objects == ()


def test_its_cameras_see_the_object_move(shadow: Shadow, draw: Draw) -> None:
    """What is rendered is what is set, without a step of physics between."""
    (drawer,) = draw("OpenDrawer", 3)
    low, high = drawer.asset.tree.moving.limits
    seen = []
    for q in (low, high, low):
        shadow.set_scene((replace(drawer, joint_position=float(q)),))
        seen.append(np.stack([f.depth_mm for f in shadow.see(HOME)]).astype(int))
    assert np.abs(seen[0] - seen[1]).max() > 30
    np.testing.assert_array_equal(seen[0], seen[2])
    assert shadow.world.t == pytest.approx(shadow.world.config.time_step), "nothing was simulated"


def test_the_overview_looks_upright_at_its_target() -> None:
    T = looking_at(*LOOK)
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)
    p = se3.apply(se3.inverse(T), LOOK[1])
    np.testing.assert_allclose(p[:2], 0.0, atol=1e-12)
    assert p[2] > 0.0 and T[2, 1] < 0.0, "in front, and the picture's down is down"
    with pytest.raises(ValueError, match="straight"):
        looking_at(np.array([0.0, 0.0, 1.0]), np.zeros(3))


def test_a_caption_says_what_is_shown() -> None:
    grey = np.full((48, 64, 3), 90, np.uint8)
    live, plan = (captioned(grey, "x", planned=planned) for planned in (False, True))
    assert (live[30:] == 90).all() and (grey == 90).all()
    assert (live[0, 0] != plan[0, 0]).any()


REACH = HOME + np.array([0.5, 0.3, 0.0, 0.2, 0.0, 0.0, 0.0, -0.04, -0.04])
MOTION = Motion(np.array([0.0, 2.0, 2.5]), np.vstack([HOME, REACH, REACH]))
CONFIG = PreviewConfig(repeats=2, hold=1.0)


def following(motion: Motion | None = MOTION, at: Array = HOME) -> Preview:
    """A preview that hears of a plan and then of a joint state at 0 s."""
    preview = Preview(CONFIG)
    preview.plan(motion)
    preview.measured(at, 0.0)
    return preview


def mode(preview: Preview, t: float) -> Mode:
    shown = preview.shown(t)
    assert shown is not None
    return shown.mode


def test_nothing_is_shown_before_the_joints_are_known() -> None:
    preview = Preview(CONFIG)
    preview.plan(MOTION)
    assert preview.shown(0.0) is None


def test_a_plan_is_shown_in_its_time_and_again_and_then_no_more() -> None:
    preview = following()
    shown = preview.shown(1.0)
    assert shown is not None and shown.mode is Mode.PLAN and shown.share == pytest.approx(0.4)
    np.testing.assert_allclose(shown.q, 0.5 * (HOME + REACH))
    for t, q in ((3.0, REACH), (3.5, HOME), (6.9, REACH)):
        shown = preview.shown(t)
        assert shown is not None and shown.mode is Mode.PLAN
        np.testing.assert_allclose(shown.q, q, atol=0.03)
    assert mode(preview, 7.1) is Mode.LIVE


@pytest.mark.parametrize("joint", range(9))
def test_the_first_motion_of_any_joint_ends_it(joint: int) -> None:
    """From then on what is shown is what is, also where the arm comes back."""
    preview = following()
    preview.measured(HOME + 1e-3 * (np.arange(9) < 7), 0.4)
    assert mode(preview, 0.5) is Mode.PLAN, "noise is no motion"
    moved = HOME.copy()
    moved[joint] -= 0.02
    preview.measured(moved, 0.6)
    shown = preview.shown(0.7)
    assert shown is not None and shown.mode is Mode.LIVE
    np.testing.assert_array_equal(shown.q, moved)
    preview.measured(HOME, 0.8)
    assert mode(preview, 0.9) is Mode.LIVE


def test_a_plan_that_begins_elsewhere_is_not_shown() -> None:
    """Who comes late gets the last plan, which may be long past."""
    assert mode(following(at=REACH), 0.5) is Mode.LIVE


def test_a_new_plan_begins_at_its_beginning_and_a_failure_ends_the_old_one() -> None:
    preview = following()
    preview.plan(MOTION)
    preview.measured(HOME, 1.5)
    shown = preview.shown(1.5)
    assert shown is not None and shown.mode is Mode.PLAN and shown.share == 0.0
    preview.plan(None)
    assert mode(preview, 1.6) is Mode.LIVE


@given(
    st.lists(st.floats(0.01, 5.0), min_size=1, max_size=5),
    st.floats(0.0, 100.0),
    st.integers(0, 2**32 - 1),
)
def test_what_is_shown_is_on_the_plan_or_measured(
    steps: list[float], now: float, seed: int
) -> None:
    """Whatever the plan and the time."""
    random = np.random.default_rng(seed)
    t = np.concatenate([[0.0], np.cumsum(steps)])
    q = HOME + np.concatenate([np.zeros((1, 9)), random.uniform(-0.5, 0.5, (len(steps), 9))])
    shown = following(Motion(t, q)).shown(now)
    assert shown is not None and 0.0 <= shown.share <= 1.0
    if shown.mode is Mode.LIVE:
        np.testing.assert_array_equal(shown.q, HOME)
    else:
        np.testing.assert_allclose(shown.q, Motion(t, q).at(shown.share * t[-1]), atol=1e-9)


@pytest.mark.parametrize(
    ("t", "q"),
    [
        (np.zeros(0), np.zeros((0, 9))),
        (np.array([0.0, 0.0]), np.zeros((2, 9))),
        (np.array([0.0, np.nan]), np.zeros((2, 9))),
        (np.array([-1.0, 0.0]), np.zeros((2, 9))),
        (np.array([0.0, 1.0]), np.full((2, 9), np.inf)),
        (np.array([0.0, 1.0]), np.zeros((3, 9))),
    ],
)
def test_a_motion_that_is_none_is_refused(t: Array, q: Array) -> None:
    with pytest.raises(ValueError, match="motion"):
        Motion(t, q)
