"""Plans on generated assets: free until contact, continuous, repeatable; failures with a reason."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.limits import JointLimits
from gensim2_kpam.collision_model import CollisionModel
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.planner_config import PlannerConfig
from gensim2_kpam.solver_config import (
    SolverConfig,
    load_solver,
    parse_solver,
)
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task, task_names
from kpam_scenes import HEAD, HOME, Array, draw, expect, moved, with_keypoints
from public_solvers import SOLVERS

from gensim2_tasks import se3

REPOSITORY = Path(__file__).resolve().parents[3]
REAL = Path(
    os.environ.get("GENSIM2_ASSETS", REPOSITORY.parent / "shared" / "data" / "gensim2_assets")
)
SEEDS = range(4)
NEAR = 0.0025  # m, of the 3 mm that the planner keeps at its own points
SPLINE = 0.001  # m, by which a spline may leave the poses that have been checked
ATOMIC = [n for n in task_names() if len(load_task(n).objects) == 1]


def check_plan(plan: Plan, scene: SceneObject, q_start: Array, urdf: str) -> None:
    """What must hold of every plan before a robot may follow it."""
    kinds = [(phase.name, phase.trajectory is not None) for phase in plan.phases]
    grasp = [("gripper", False)] if len(plan.phases) == 5 else []
    assert kinds == [
        ("gripper", False),
        ("approach", True),
        *grasp,
        ("actuate", True),
        ("settle", True),
    ]
    config, limits = PlannerConfig(), JointLimits.fr3()
    gentle = limits.reduced(0.0, config.speed, config.acceleration)
    q_now = q_start
    for phase in plan.phases:
        if phase.trajectory is None:
            assert phase.gripper is not None
            assert 0.0 <= phase.gripper[0] <= 0.04
            continue
        trajectory = phase.trajectory
        trajectory.validate(limits, q_start=q_now, start_tolerance=1e-9)
        _, dq, ddq = trajectory.sample(np.linspace(0.0, trajectory.duration, 1000))
        assert np.all(np.abs(dq) <= gentle.dq_max * 1.001)
        assert np.all(np.abs(ddq) <= gentle.ddq_max * 1.001)
        q_now = trajectory.q[-1]
    approach, actuate, settle = (p.trajectory for p in plan.phases if p.trajectory is not None)
    assert np.ptp(settle.q, axis=0).max() == 0.0
    own = load_solver(str(plan.report["solver"])).settle_time
    assert settle.duration == pytest.approx(max(config.settle_time, own))
    # Nothing is touched before the actuation: with a model of its own, and finely.
    model = CollisionModel(urdf, scene.asset)
    assert plan.phases[0].gripper is not None
    finger = plan.phases[0].gripper[0]
    model.place(scene.T_base_root, finger)
    q, _, _ = approach.sample(np.arange(0.0, approach.duration, 0.005))
    for configuration in np.vstack([q, approach.q[-1]]):
        hit = model.contacts(configuration, scene.joint_position, NEAR)
        assert not hit, hit
    # Beside the moving part nothing is touched later on either.
    model.allow_contact(True, arm=True)
    later, _, _ = actuate.sample(np.arange(0.0, actuate.duration, 0.01))
    for configuration in np.vstack([later, actuate.q[-1]]):
        depth = model.depth(configuration, scene.joint_position)
        assert depth < SPLINE, model.contacts(configuration, scene.joint_position, 0.0)
    model.allow_contact(False)
    # Then the hand goes through where the part was: it must move it.
    if "fixed" not in plan.report and not grasp:
        before, after = (scene.asset.tree.link_poses(q) for q in (0.0, 0.01))
        part = {f"object/{link}" for link in before if (before[link] != after[link]).any()}
        assert any(
            not part.isdisjoint(pair)
            for configuration in actuate.q[::4]
            for pair in model.contacts(configuration, scene.joint_position, 0.0)
        ), f"never meets {part}"


@pytest.mark.parametrize("task", ATOMIC)
def test_tasks_on_generated_assets(
    task: str, planner: Planner, library: AssetLibrary, urdf: str
) -> None:
    for seed in SEEDS:
        scene = draw(task, library, seed)
        plan = TaskPlanner(planner).plan(load_task(task), 0, scene, HOME, seed)
        assert isinstance(plan, Plan), plan
        check_plan(plan, scene, HOME, urdf)


@pytest.mark.skipif(not REAL.is_dir(), reason="the imported assets are not here")
@pytest.mark.parametrize("task", ATOMIC)
def test_tasks_on_imported_assets(task: str, planner: Planner, urdf: str) -> None:
    library = AssetLibrary(REAL)
    for seed in (1, 2, 4):  # With 4, a coarse look at the approach to the drawer sees too little.
        scene = draw(task, library, seed)
        plan = TaskPlanner(planner).plan(load_task(task), 0, scene, HOME, seed)
        assert isinstance(plan, Plan), plan
        check_plan(plan, scene, HOME, urdf)


PUBLIC = ("OpenBox", "CloseBox", "OpenLaptop", "CloseLaptop", "OpenDrawer", "PushDrawerClose")


@pytest.mark.parametrize("name", PUBLIC)
def test_public_configurations_with_fixed_motions_plan_too(
    name: str, planner: Planner, library: AssetLibrary, urdf: str
) -> None:
    solver = parse_solver(SOLVERS[name].yaml(), name)
    for seed in (0, 1):
        scene = draw(name, library, seed)
        plan = planner.plan(solver, scene, HOME, seed=seed)
        assert isinstance(plan, Plan), plan
        assert plan.report["fixed"] is True
        check_plan(plan, scene, HOME, urdf)


def end_of(name: str, planner: Planner, library: AssetLibrary) -> tuple[Array, Array]:
    """Poses of the hand at the actuation and at the end."""
    plan = planner.plan(parse_solver(SOLVERS[name].yaml(), "f"), draw(name, library, 0), HOME)
    assert isinstance(plan, Plan), plan
    T_tcp_hand = se3.inverse(planner.arm.T_hand_tcp)
    return plan.key_poses[-2] @ T_tcp_hand, plan.key_poses[-1] @ T_tcp_hand


def test_named_motions_end_where_the_file_says(planner: Planner, library: AssetLibrary) -> None:
    """OpenDrawer: 10 cm back from the actuation pose, in base; its rotation stays."""
    T_actuation, T_end = end_of("OpenDrawer", planner, library)
    # As near as Cartesian paths are followed.
    assert np.allclose(T_end[:3, 3] - T_actuation[:3, 3], [-0.1, 0.0, 0.0], atol=2e-3)
    assert np.allclose(T_end[:3, :3], T_actuation[:3, :3], atol=0.01)


def test_motions_of_the_hand_chain_up(planner: Planner, library: AssetLibrary) -> None:
    """CloseBox: 8 cm along the hand, from there 30 cm aside."""
    T_actuation, T_end = end_of("CloseBox", planner, library)
    step = T_actuation[:3, :3].T @ (T_end[:3, 3] - T_actuation[:3, 3])
    # Half a turn of the symmetric hand turns x, too.
    assert np.allclose(np.abs(step), [0.3, 0.0, 0.08], atol=3e-3)
    assert step[2] > 0.0


def test_key_poses_are_those_of_the_tcp(
    planner: Planner, library: AssetLibrary, kinematics: object
) -> None:
    scene = draw("OpenDrawer", library, 1)
    plan = planner.plan(load_solver("OpenDrawer"), scene, HOME)
    assert isinstance(plan, Plan)
    last = plan.phases[-1].trajectory
    assert last is not None
    assert np.allclose(plan.key_poses[-1], kinematics.fk(last.q[-1]), atol=1e-9)  # type: ignore[attr-defined]


def as_bytes(outcome: Plan | PlanFailure) -> bytes:
    assert isinstance(outcome, Plan), outcome
    parts = [str(phase.gripper).encode() for phase in outcome.phases]
    for phase in outcome.phases:
        if phase.trajectory is not None:
            assert phase.trajectory.dq is not None
            arrays = (phase.trajectory.t, phase.trajectory.q, phase.trajectory.dq)
            parts += [array.tobytes() for array in arrays]
    return b"".join([*parts, *(T.tobytes() for T in outcome.key_poses)])


def test_same_inputs_give_the_same_bytes_whatever_was_planned_before(
    planner: Planner, library: AssetLibrary, urdf: str
) -> None:
    """The graph and the batch runner, the first and the hundredth episode: one plan."""
    scenes = [(name, draw(name, library, 11)) for name in ("OpenBox", "OpenDrawer")]
    fresh = [Planner(urdf).plan(load_solver(n), s, HOME, seed=5) for n, s in scenes]
    for _ in range(2):
        for (name, scene), first in zip(scenes, fresh, strict=True):
            planner.plan(load_solver(name), moved(scene, (0.0, 0.05, 0.0)), HOME, seed=6)
            again = planner.plan(load_solver(name), scene, HOME, seed=5)
            assert as_bytes(again) == as_bytes(first)


def test_a_detour_is_free_and_repeatable_too(
    planner: Planner, library: AssetLibrary, urdf: str
) -> None:
    """From beside the box there is no straight way in: the transit needs random samples."""
    scene = draw("OpenBox", library, 3)
    q_start = np.array([1.2, 0.9, 0.0, -1.5, 0.0, 2.4, 0.785])
    first, again, other = (
        p.plan(load_solver("OpenBox"), scene, q_start, seed=seed)
        for p, seed in ((planner, 3), (Planner(urdf), 3), (planner, 4))
    )
    assert as_bytes(first) == as_bytes(again) != as_bytes(other)
    for plan in (first, other):
        assert isinstance(plan, Plan)
        check_plan(plan, scene, q_start, urdf)


@pytest.fixture(scope="module")
def box(library: AssetLibrary) -> SceneObject:
    return draw("OpenBox", library, 1)


BEHIND_TABLE = np.array([0.0, 1.2, 0.0, -1.0, 0.0, 2.2, 0.78])
NOT_A_NUMBER = np.array([np.nan, *HOME[1:]])


@pytest.mark.parametrize(
    ("q_start", "said"),
    [
        (BEHIND_TABLE, "collision.*finger.* and world"),
        (HOME + np.array([2.9, 0, 0, 0, 0, 0, 0]), "outside the joint limits"),
        (NOT_A_NUMBER, "finite"),
        (HOME[:6], "7 finite joint positions"),
    ],
    ids=["in the table", "beyond a limit", "not a number", "too short"],
)
def test_a_bad_start_is_named(
    planner: Planner, box: SceneObject, q_start: Array, said: str
) -> None:
    outcome = planner.plan(load_solver("OpenBox"), box, q_start)
    expect(outcome, PlanCode.START_INVALID, said)


def test_a_start_in_the_object_is_named(planner: Planner, box: SceneObject) -> None:
    p_tip = planner.arm.fk(HOME)[:3, 3]
    scene = moved(box, p_tip - box.keypoints[HEAD])
    outcome = planner.plan(load_solver("OpenBox"), scene, HOME)
    expect(outcome, PlanCode.START_INVALID, "fr3_.* and object/")


def test_open_fingers_count_where_the_solver_has_them_open(
    planner: Planner, library: AssetLibrary
) -> None:
    """An object 2 cm beside the tips of closed fingers is in the way of open ones."""
    scene = draw("OpenDrawer", library, 3)
    p_tip = (planner.arm.fk(HOME) @ planner.arm.T_hand_tcp)[:3, 3]
    low, high = scene.asset.bounds(scene.joint_position)
    T = se3.transform(p_tip - 0.5 * (low + high))
    T[1, 3] = p_tip[1] + 0.046 - low[1]
    T[2, 3] = p_tip[2] + 0.01 - high[2]  # it reaches the tips, but not the hand
    scene = dataclasses.replace(scene, T_base_root=T)
    opened = planner.plan(parse_solver(SOLVERS["OpenDrawer"].yaml(), "f"), scene, HOME)
    expect(opened, PlanCode.START_INVALID, "finger and object/")
    closed = planner.plan(load_solver("OpenDrawer"), scene, HOME)
    assert isinstance(closed, Plan) or closed.code is not PlanCode.START_INVALID


@pytest.mark.parametrize("away", [(2.0, 0.0, 0.0), (0.0, 0.0, 1.5), (1e12, 0.0, 0.0)])
def test_out_of_reach(planner: Planner, box: SceneObject, away: tuple[float, ...]) -> None:
    outcome = planner.plan(load_solver("OpenBox"), moved(box, away), HOME)
    expect(outcome, PlanCode.NO_IK, "no configuration meets the constraints")


def bad_scenes(box: SceneObject) -> dict[str, tuple[SceneObject, str]]:
    skewed = box.T_base_root.copy()
    skewed[:3, :3] *= 2.0
    nowhere = box.T_base_root.copy()
    nowhere[0, 3] = np.nan
    tail = "articulated_object_tail"
    few = {name: p for name, p in box.keypoints.items() if name != tail}
    change = dataclasses.replace
    return {
        "keypoint missing": (change(box, keypoints=few), f"lacks keypoint {tail}; it has"),
        "keypoint NaN": (with_keypoints(box, **{HEAD: [np.nan, 0, 0]}), "not finite"),
        "keypoints in one place": (with_keypoints(box, **{tail: box.keypoints[HEAD]}), "one place"),
        "pose NaN": (change(box, T_base_root=nowhere), "not finite"),
        "pose skewed": (change(box, T_base_root=skewed), "no rigid transform"),
        "joint NaN": (change(box, joint_position=np.nan), "not finite"),
        "joint beyond": (change(box, joint_position=40.0), "outside of its limits"),
    }


@pytest.mark.parametrize("which", range(7))
def test_a_bad_scene_is_named(planner: Planner, box: SceneObject, which: int) -> None:
    scene, said = list(bad_scenes(box).values())[which]
    expect(planner.plan(load_solver("OpenBox"), scene, HOME), PlanCode.BAD_SCENE, said)


def test_nothing_in_the_way_of_the_hand_is_no_plan(planner: Planner, library: AssetLibrary) -> None:
    """A contact point beside the object: following the joint there would move nothing."""
    scene = draw("PushDrawerClose", library, 0)
    aside = with_keypoints(scene, **{HEAD: scene.keypoints[HEAD] + [-0.05, -0.05, 0.15]})
    outcome = planner.plan(load_solver("PushDrawerClose"), aside, HOME)
    expect(outcome, PlanCode.PATH_COLLISION, "meets no moving part")


def test_reports_say_what_was_tried(planner: Planner, box: SceneObject) -> None:
    plan = planner.plan(load_solver("OpenBox"), box, HOME)
    assert isinstance(plan, Plan)
    assert plan.report["solver"] == "OpenBox"
    assert plan.report["seeds"] >= plan.report["converged"] > 0  # type: ignore[operator]
    assert plan.report["candidates"] > 0  # type: ignore[operator]
    assert 0.9 <= plan.report["openness"] <= 1.0  # type: ignore[operator]


def test_speed_and_settle_time_are_those_of_the_configuration(
    urdf: str, box: SceneObject, planner: Planner
) -> None:
    slow = Planner(urdf, PlannerConfig(speed=0.1, acceleration=0.05, settle_time=2.5))
    plans = [p.plan(load_solver("OpenBox"), box, HOME) for p in (planner, slow)]
    durations = []
    for plan in plans:
        assert isinstance(plan, Plan)
        durations.append([p.trajectory.duration for p in plan.phases if p.trajectory is not None])
    assert durations[1][0] > 1.5 * durations[0][0]
    assert durations[1][1] > 1.5 * durations[0][1]
    assert durations[1][2] == 2.5
    # A solver may wait for longer, never for less.
    for asked, waited in ((4.0, 4.0), (0.5, planner.config.settle_time)):
        patient = load_solver("OpenBox").model_copy(update={"settle_time": asked})
        plan = planner.plan(patient, box, HOME)
        assert isinstance(plan, Plan)
        (settle,) = (p.trajectory for p in plan.phases if p.name == "settle")
        assert settle is not None and settle.duration == waited


def test_full_speed_plans_are_taken_by_the_body(urdf: str, box: SceneObject) -> None:
    fast = Planner(urdf, PlannerConfig(speed=1.0, acceleration=1.0))
    plan = fast.plan(load_solver("OpenBox"), box, HOME)
    assert isinstance(plan, Plan)
    for phase in plan.phases:
        if phase.trajectory is not None:
            phase.trajectory.validate(JointLimits.fr3())


def test_a_grasp_closes_the_fingers_on_the_part(
    planner: Planner, library: AssetLibrary, urdf: str
) -> None:
    solver: SolverConfig = load_solver("OpenDrawerGraspBar")
    grasped = 0
    for seed in range(12):
        scene = draw("OpenDrawer", library, seed)
        plan = planner.plan(solver, scene, HOME)
        if not isinstance(plan, Plan):
            continue
        grasped += 1
        check_plan(plan, scene, HOME, urdf)
        positions = [p.gripper[0] for p in plan.phases if p.gripper is not None]
        assert positions == [0.04, 0.0]
        approach = plan.phases[1].trajectory
        assert approach is not None
        model = CollisionModel(urdf, scene.asset)
        model.place(scene.T_base_root, 0.0)
        assert model.touches_part_only(approach.q[-1], scene.joint_position, 0.0)
        assert model.in_collision(approach.q[-1], scene.joint_position)
    assert grasped
