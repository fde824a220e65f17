"""The picture of a plan shows the plan."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.marks import RED, Arrow, Lines, Mark, Points, Text
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure, SceneObject
from gensim2_kpam.plan_picture import failure_marks, plan_marks, tool_keypoints, way
from gensim2_kpam.plan_statistics import PlanStatistics
from gensim2_kpam.planner import Planner
from gensim2_kpam.solver_config import PointConstraint, SolverConfig
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_kpam.tool import TOOL_KEYPOINTS
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from kpam_scenes import HOME, angle_between, draw, pose_error

SLACK = 0.02  # rad; the way to the actuation pose is solved to some accuracy
TASKS = ("OpenBox", "CloseBox", "OpenLaptop", "OpenDrawer", "PushDrawerClose")


def planned(
    planner: Planner, library: AssetLibrary, name: str, seed: int
) -> tuple[SceneObject, Plan, SolverConfig]:
    task, scene = load_task(name), draw(name, library, seed)
    tasks = TaskPlanner(planner)
    plan = tasks.plan(task, 0, scene, HOME)
    assert isinstance(plan, Plan)
    return scene, plan, tasks.solver_of(task, 0, plan)


def picture(planner: Planner, scene: SceneObject, plan: Plan, solver: SolverConfig) -> list[Mark]:
    points = way(plan, planner.arm)
    return list(plan_marks("Task", solver, scene, plan, points, planner.arm.T_hand_tcp))


def of_group(drawn: list[Mark], kind: type, group: str) -> Iterator[Mark]:
    return (m for m in drawn if isinstance(m, kind) and m.group == group)


@pytest.mark.parametrize("name", TASKS)
def test_the_way_is_that_of_the_trajectories(
    planner: Planner, library: AssetLibrary, kinematics: Fr3Kinematics, name: str
) -> None:
    _, plan, _ = planned(planner, library, name, 4)
    points = way(plan, planner.arm)
    trajectories = [p.trajectory for p in plan.phases if p.trajectory is not None]
    # It begins where the arm is and ends at the last key pose.
    for point, q in ((points[0], HOME), (points[-1], trajectories[-1].q[-1])):
        distance, angle = pose_error(point.T_base_tcp, kinematics.fk(q))
        assert distance < 1e-6 and angle < 1e-6
    distance, angle = pose_error(points[-1].T_base_tcp, plan.key_poses[-1])
    assert distance < 1e-4 and angle < 1e-3
    # It passes the place before the actuation, without gaps, in the time the plan takes.
    positions = np.array([p.T_base_tcp[:3, 3] for p in points])
    assert np.linalg.norm(positions - plan.key_poses[-2][:3, 3], axis=1).min() < 0.05
    assert np.linalg.norm(np.diff(positions, axis=0), axis=1).max() < 0.06
    assert [p.t for p in points] == sorted(p.t for p in points)
    assert points[-1].t == pytest.approx(sum(t.duration for t in trajectories))
    assert [*dict.fromkeys(p.phase for p in points)] == ["approach", "actuate", "settle"]


def test_the_phases_have_colours_of_their_own(planner: Planner, library: AssetLibrary) -> None:
    scene, plan, solver = planned(planner, library, "OpenBox", 4)
    drawn = picture(planner, scene, plan, solver)
    (lines,) = of_group(drawn, Lines, "way")
    points = way(plan, planner.arm)
    assert isinstance(lines, Lines)
    assert len(lines.points) == 2 * len(lines.colours) == 2 * (len(points) - 1)
    by_phase: dict[str, set[object]] = {}
    for point, colour in zip(points[1:], lines.colours, strict=True):
        by_phase.setdefault(point.phase, set()).add(colour)
    assert all(len(colours) == 1 for colours in by_phase.values())
    assert len(set.union(*by_phase.values())) == len(by_phase) == 3
    (triads,) = of_group(drawn, Lines, "key_poses")
    assert isinstance(triads, Lines)
    for i, T in enumerate(plan.key_poses):
        np.testing.assert_array_equal(triads.points[6 * i], T[:3, 3])
    assert f"Task: solver {solver.task_name}" in [m.text for m in drawn if isinstance(m, Text)]


@pytest.mark.parametrize("name", TASKS)
def test_constraints_are_drawn_as_the_planner_meets_them(
    planner: Planner, library: AssetLibrary, name: str
) -> None:
    """The axes of the hand are within the tolerance of what they are compared with."""
    for seed in range(4):
        scene, plan, solver = planned(planner, library, name, seed)
        drawn = picture(planner, scene, plan, solver)
        own = [*of_group(drawn, Arrow, "tool_axes")]
        wanted = [*of_group(drawn, Arrow, "target_axes")]
        lines = [*of_group(drawn, Lines, "point_constraints")]
        axes = [c for c in solver.constraint_list if not isinstance(c, PointConstraint)]
        points = [c for c in solver.constraint_list if isinstance(c, PointConstraint)]
        assert len(own) == len(wanted) == len(axes) > 0
        for constraint, a, b in zip(axes, own, wanted, strict=True):
            assert isinstance(a, Arrow) and isinstance(b, Arrow)
            low, high = constraint.angle_range
            angle = angle_between(a.end - a.start, b.end - b.start)
            assert low - SLACK < angle < high + SLACK, (seed, plan.report["half_turn"])
        # Points meet but for the shift, which is the planner's own.
        shift = np.linalg.norm(plan.report["shift"])  # type: ignore[arg-type]
        for point, line in zip(points, lines, strict=True):
            assert isinstance(line, Lines)
            near, far = line.points
            np.testing.assert_array_equal(far, scene.keypoints[point.target_keypoint_name])
            assert np.linalg.norm(near - far) < shift + 2.0 * point.tolerance + 2e-3


def test_a_tool_that_is_turned_in_the_hand_is_drawn_turned(planner: Planner) -> None:
    T_hand_tcp = planner.arm.T_hand_tcp
    poses = (np.eye(4), T_hand_tcp, np.eye(4))  # the hand is at the origin
    for turned, side in ((False, 1.0), (True, -1.0)):
        points = tool_keypoints(Plan((), poses, {"half_turn": turned}, 0.0), T_hand_tcp)
        expected = TOOL_KEYPOINTS["tool_side"] * [side, side, 1.0]
        np.testing.assert_allclose(points["tool_side"], expected, atol=1e-12)
        np.testing.assert_allclose(points["tool_head"], TOOL_KEYPOINTS["tool_head"], atol=1e-12)


def test_a_failure_shows_the_scene_and_says_why(library: AssetLibrary) -> None:
    scene = draw("OpenBox", library, 4)
    for placed in (scene, None):
        drawn = failure_marks("OpenBox", "no way", placed)
        words = {m.text: m.colour for m in drawn if isinstance(m, Text)}
        assert words["OpenBox: no way"] == RED
        shown = [m for m in drawn if isinstance(m, Points)]
        assert len(shown) == (placed is not None)
        if placed is not None:
            assert {*placed.keypoints} < {*words}
            np.testing.assert_array_equal(shown[0].points, [*placed.keypoints.values()])


def test_statistics_count() -> None:
    statistics = PlanStatistics()
    assert statistics.values() == {"last": "nothing planned yet", "plans": "0", "failures": "0"}
    for cpu in (0.1, 0.2, 0.3):
        statistics.note(Plan((), (), {}, cpu))
    statistics.note(PlanFailure(PlanCode.NO_IK, "", cpu_time=0.2))
    assert statistics.values() == {
        "last": "no_ik",
        "plans": "3",
        "failures": "1",
        "failures: no_ik": "1",
        "CPU time of the last": "0.200 s",
        "CPU time, median": "0.200 s",
        "CPU time, p95": "0.285 s",
    }


def test_statistics_are_read_while_they_are_noted() -> None:
    statistics = PlanStatistics()
    stop = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                statistics.values()
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(20_000):
        statistics.note(PlanFailure([*PlanCode][1 + i % 5], "", cpu_time=0.1))
    stop.set()
    reader.join()
    assert not failures
