"""The picture of a plan shows the plan."""

from __future__ import annotations

import numpy as np
import pytest
from gensim2_control.marks import Arrow, Lines, Text
from gensim2_kpam.as_message import scene_as_sent
from gensim2_kpam.plan import Plan, PlanCode, PlanFailure
from gensim2_kpam.plan_picture import failure_marks, plan_marks, way
from gensim2_kpam.plan_statistics import PlanStatistics
from gensim2_kpam.planner import Planner
from gensim2_kpam.solver_config import PointConstraint
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from kpam_scenes import HOME, draw


@pytest.mark.parametrize("name", ["OpenBox", "OpenDrawer"])
def test_way_and_constraints_are_those_of_the_plan(
    planner: Planner, library: AssetLibrary, name: str
) -> None:
    task, scene = load_task(name), draw(name, library, 4)
    tasks = TaskPlanner(planner)
    plan = tasks.plan(task, 0, scene, HOME)
    assert isinstance(plan, Plan)
    points = way(plan, planner.arm)
    positions = np.array([p.T_base_tcp[:3, 3] for p in points])
    # It begins where the arm is, passes every key pose, and has no gaps.
    start = planner.arm.fk(HOME) @ planner.arm.T_hand_tcp
    np.testing.assert_allclose(positions[0], start[:3, 3], atol=1e-6)
    for T in plan.key_poses[-1:]:
        assert np.linalg.norm(positions - T[:3, 3], axis=1).min() < 0.01
    assert np.linalg.norm(np.diff(positions, axis=0), axis=1).max() < 0.06
    assert [p.t for p in points] == sorted(p.t for p in points)
    assert {"approach", "actuate", "settle"} == {p.phase for p in points}
    solver = tasks.solver_of(task, 0, plan)
    assert solver is not None and solver.task_name == plan.report["solver"]
    drawn = plan_marks(name, solver, scene, plan, planner.arm)
    own = [m for m in drawn if isinstance(m, Arrow) and m.group == "tool_axes"]
    wanted = [m for m in drawn if isinstance(m, Arrow) and m.group == "target_axes"]
    axes = [c for c in solver.constraint_list if not isinstance(c, PointConstraint)]
    assert len(own) == len(wanted) == len(axes) > 0
    for constraint, a, b in zip(axes, own, wanted, strict=True):
        low, high = constraint.angle_range
        cosine = np.dot(a.end - a.start, b.end - b.start) / 0.01
        assert low - 0.02 < np.arccos(np.clip(cosine, -1.0, 1.0)) < high + 0.02
    (lines,) = [m for m in drawn if isinstance(m, Lines) and m.group == "way"]
    assert len(lines.points) == 2 * len(lines.colours) == 2 * (len(points) - 1)


def test_a_failure_says_why(library: AssetLibrary) -> None:
    scene = draw("OpenBox", library, 4)
    for placed in (scene, None):
        words = [m.text for m in failure_marks("OpenBox", "no way", placed) if isinstance(m, Text)]
        assert "OpenBox: no way" in words
    drawn = [m.text for m in failure_marks("OpenBox", "no way", scene) if isinstance(m, Text)]
    assert set(scene.keypoints) < set(drawn)


def test_statistics_count() -> None:
    statistics = PlanStatistics()
    assert statistics.values() == {"last": "none", "plans": "0"}
    for cpu in (0.1, 0.2, 0.3):
        statistics.note(Plan((), (), {}, cpu))
    statistics.note(PlanFailure(PlanCode.NO_IK, "", cpu_time=0.2))
    values = statistics.values()
    assert values["last"] == "no_ik" and values["failed_no_ik"] == "1" and values["plans"] == "3"
    assert values["cpu_median"] == "0.200 s"


def test_a_scene_as_sent_is_that_of_a_message(library: AssetLibrary) -> None:
    conversions = pytest.importorskip(
        "gensim2_control.ros.conversions", reason="needs ROS 2: run the tests with ./ws"
    )
    changed = 0
    for seed in range(50):
        scene = draw("OpenBox", library, seed)
        sent = scene_as_sent(scene)
        pose = conversions.matrix_to_pose(scene.T_base_root)
        assert np.array_equal(sent.T_base_root, conversions.pose_to_matrix(pose))
        changed += not np.array_equal(sent.T_base_root, scene.T_base_root)
        assert sent.joint_position == scene.joint_position
    assert changed, "the rounding is real"
