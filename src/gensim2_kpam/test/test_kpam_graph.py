"""Planner and expert as processes; robot, scene and clock are scripted in this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gensim2_control.hardware import ARM_JOINTS
from gensim2_kpam.plan import SceneObject
from gensim2_tasks.assets import AssetLibrary
from kpam_scenes import HOME, draw

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")
pytest.importorskip("control_msgs.action", reason="needs the built workspace")

from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory
from gensim2_control.ros.conversions import seconds, stamp_from_seconds
from kpam_messages import far_away, plan_goal, scene_message
from kpam_processes import DOMAIN, ROOT, Process, end_all
from rclpy.action.server import ServerGoalHandle
from scripted_cell import GUARD, Cell
from sensor_msgs.msg import JointState

from gensim2_msgs.action import ExecuteTask, PlanTask

TICK = 0.005  # s
Code = ExecuteTask.Result


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        profile = ROOT / "launch" / "config" / "fastdds_profile.xml"
        patch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
        cell = Cell(DOMAIN)
        yield cell
        cell.close()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def processes(cell: Cell, cache: Path) -> Iterator[dict[str, Process]]:
    started = {
        "planner": Process("kpam_planner", cache),
        "expert": Process("kpam_expert", cache, "use_sim_time:=true", "timeout:=90.0"),
    }
    yield started
    end_all(*started.values())


@pytest.fixture(scope="module")
def scene(library: AssetLibrary) -> SceneObject:
    return draw("OpenBox", library, 4)


# The planner.


def plans(cell: Cell, scene: SceneObject) -> PlanTask.Result:
    goal = plan_goal(scene)
    goal.scene.header.stamp.sec = 77
    status, result = cell.end(cell.send(cell.planner, goal))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_msg
    assert result.error_code == PlanTask.Result.NONE
    assert [p.name for p in result.phases] == ["gripper", "approach", "actuate", "settle"]
    assert result.key_poses.header.stamp.sec == 77
    assert result.plan_time > 0.0
    return result


@pytest.mark.usefixtures("processes")
def test_planner_answers_and_survives_every_bad_request(cell: Cell, scene: SceneObject) -> None:
    first = plans(cell, scene)
    nan = scene_message(scene, "box")
    nan.objects[0].keypoints[0].position.x = float("nan")
    unknown = scene_message(scene, "box")
    unknown.objects[0].asset = "procedural:teapot/3"
    huge = scene_message(scene, "box")
    huge.objects[0].asset = "procedural:box_rotate/" + "9" * 400
    bad: dict[int, list[dict[str, Any]]] = {
        PlanTask.Result.UNKNOWN_TASK: [{"task": "OpenBocks"}, {"task": ""}, {"subtask": 1}],
        PlanTask.Result.BAD_SCENE: [{"scene": nan}, {"scene": unknown}, {"scene": type(nan)()}],
        PlanTask.Result.START_INVALID: [
            {"start": JointState()},
            {"start": JointState(name=list(ARM_JOINTS), position=[9.0] * 7)},
        ],
        PlanTask.Result.NO_IK: [{"scene": far_away(scene)}],
    }
    for code, requests in bad.items():
        for changes in requests:
            status, result = cell.end(cell.send(cell.planner, plan_goal(scene, **changes)))
            assert status == GoalStatus.STATUS_ABORTED
            assert result.error_code == code, (changes, result.error_msg)
            assert result.error_msg
            assert not result.phases
    status, result = cell.end(cell.send(cell.planner, plan_goal(scene, scene=huge)))
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_code != PlanTask.Result.NONE
    # And the same again, to the bit.
    again = plans(cell, scene)
    assert again.phases == first.phases


@pytest.mark.usefixtures("processes")
def test_a_plan_that_waits_for_its_turn_can_be_canceled(
    cell: Cell, scene: SceneObject, library: AssetLibrary
) -> None:
    others = [plan_goal(draw("OpenBox", library, seed)) for seed in (20, 21, 22)]
    handles = [cell.send(cell.planner, goal) for goal in [*others, plan_goal(scene)]]
    cell.await_result(handles[-1].cancel_goal_async())
    status, result = cell.end(handles[-1])
    assert status == GoalStatus.STATUS_CANCELED
    assert result.error_code == PlanTask.Result.CANCELED
    assert not result.phases
    for handle in handles[:-1]:
        assert cell.end(handle)[0] == GoalStatus.STATUS_SUCCEEDED


# The expert.


def execute(
    cell: Cell, task: str = "OpenBox", timeout: float = 0.0, scene_stamp: float = 0.0
) -> Any:
    goal = ExecuteTask.Goal(task=task, timeout=timeout)
    goal.scene_stamp = stamp_from_seconds(scene_stamp)
    return cell.send(cell.expert, goal)


@pytest.fixture
def ready(cell: Cell, processes: dict[str, Process], scene: SceneObject) -> Cell:
    cell.place(scene_message(scene, "box"), HOME.tolist())
    return cell


def test_a_task_is_performed_though_time_stands_still(ready: Cell) -> None:
    """In lockstep nothing takes any time but motion: planning for a while must not time out."""
    ready.arm = still
    status, result = ready.end(execute(ready, timeout=0.002))
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, Code.NONE), result.error_msg
    assert len(ready.ends) == 3
    assert result.plan_time > 0.002
    assert result.execution_time == 0.0


def still(handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
    handle.succeed()
    return FollowJointTrajectory.Result()


def test_the_actuation_begins_when_the_approach_has_ended(ready: Cell) -> None:
    """Even where the clock is late, and the arm's answer comes before the news of its motion."""
    ready.clock = ready.t
    began = ready.t

    def answer_first(handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        ended = ready.t + ready.duration(handle)
        truth.append(ended)
        threading.Timer(0.1, move_on, [ended]).start()
        return still(handle)

    def move_on(t: float) -> None:
        ready.t = t
        ready.show()

    truth: list[float] = []
    ready.arm = answer_first
    status, result = ready.end(execute(ready))
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, Code.NONE), result.error_msg
    assert seconds(result.actuation_stamp) == pytest.approx(truth[0], abs=TICK)
    assert result.actuation_time == pytest.approx(truth[0] - began, abs=TICK)
    assert result.execution_time == pytest.approx(truth[-1] - began, abs=TICK)


@pytest.mark.parametrize(("timeout", "passes"), [(2.0, 3.0), (0.0, 91.0)], ids=["given", "default"])
def test_a_task_times_out_in_ros_time_and_the_arm_is_stopped(
    ready: Cell, timeout: float, passes: float
) -> None:
    ready.arm = ready.hang
    handle = execute(ready, timeout=timeout)
    assert ready.running.wait(GUARD)
    assert not ready.canceled.is_set()
    ready.t += passes
    ready.show()
    status, result = ready.end(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.TIMEOUT)
    assert result.error_msg
    assert ready.canceled.is_set()
    assert len(ready.ends) == 1
    assert result.actuation_time == -1.0


def test_a_cancel_stops_the_arm(ready: Cell, scene: SceneObject) -> None:
    ready.arm = ready.hang
    handle = execute(ready)
    assert ready.running.wait(GUARD)
    # One task at a time.
    assert not execute(ready).accepted
    ready.await_result(handle.cancel_goal_async())
    status, result = ready.end(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Code.CANCELED)
    assert ready.canceled.is_set()
    assert len(ready.ends) == 1
    # What was canceled is forgotten by the next task.
    ready.place(scene_message(scene, "box"), HOME.tolist())
    status, result = ready.end(execute(ready))
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, Code.NONE), result.error_msg


def ends_with(abort: bool, code: int) -> Any:
    def arm(handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        if abort:
            handle.abort()
        else:
            handle.succeed()
        return FollowJointTrajectory.Result(error_code=code)

    return arm


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        (
            ends_with(True, FollowJointTrajectory.Result.PATH_TOLERANCE_VIOLATED),
            Code.EXECUTION_FAILED,
        ),
        (ends_with(True, FollowJointTrajectory.Result.INVALID_GOAL), Code.GOAL_REJECTED),
        # Canceled by somebody else, or a server whose callback failed: no error, but no end either.
        (ends_with(True, FollowJointTrajectory.Result.SUCCESSFUL), Code.EXECUTION_FAILED),
        (None, Code.GOAL_REJECTED),
    ],
    ids=["off its path", "refused", "aborted without an error", "rejected"],
)
def test_a_failure_of_the_arm_ends_the_task(ready: Cell, arm: Any, expected: int) -> None:
    ready.accept, ready.arm = arm is not None, arm
    status, result = ready.end(execute(ready))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, expected)
    assert result.error_msg
    assert len(ready.ends) <= 1


def test_what_cannot_be_planned_moves_nothing(ready: Cell, scene: SceneObject) -> None:
    ready.place(far_away(scene), HOME.tolist())
    # Until the expert has heard of it.
    status, result = ready.end(execute(ready))
    while result.error_code == Code.NONE:
        status, result = ready.end(execute(ready))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.PLAN_FAILED)
    assert "no_ik" in result.error_msg


ALL = ("/clock", "/joint_states", "/scene/state")


@pytest.mark.parametrize("late", [("/scene/state",), ("/clock", "/scene/state"), ALL])
def test_the_scene_of_the_episode_before_is_not_planned_on(
    ready: Cell, scene: SceneObject, late: tuple[str, ...]
) -> None:
    """After a reset the goal may overtake the news of it; older news may still be on its way."""
    ready.place(far_away(scene), HOME.tolist())
    status, result = ready.end(execute(ready))  # The expert has heard of it.
    before = ready.t
    ready.silent = late
    ready.t += 0.1
    ready.show()
    handle = execute(ready, scene_stamp=ready.t)
    ready.show_late(before)
    threading.Timer(0.5, ready.place, [scene_message(scene, "box"), HOME.tolist()]).start()
    status, result = ready.end(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, Code.NONE), result.error_msg


@pytest.mark.parametrize(
    ("silent", "said"), [("/scene/state", "scene/state"), ("/joint_states", "joint_states is 0.1")]
)
def test_news_that_stay_away_end_the_task(ready: Cell, silent: str, said: str) -> None:
    ready.arm = still
    status, result = ready.end(execute(ready))
    assert result.error_code == Code.NONE, result.error_msg
    ready.silent = (silent,)
    ready.t += 0.1
    status, result = ready.end(execute(ready))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.SENSOR_STALE)
    assert said in result.error_msg


def test_nonsense_is_refused(ready: Cell) -> None:
    status, result = ready.end(execute(ready, task="OpenBocks"))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.UNKNOWN_TASK)
    assert "OpenBox" in result.error_msg
    for timeout in (-1.0, float("nan"), float("inf")):
        assert not execute(ready, timeout=timeout).accepted
    assert ready.ends == []


# Their ends; from here on the processes of the tests above are gone.


def test_interrupted_nodes_stop_the_arm_and_end_cleanly(
    ready: Cell, processes: dict[str, Process], scene: SceneObject
) -> None:
    ready.arm = ready.hang
    performed = execute(ready).get_result_async()
    assert ready.running.wait(GUARD)
    planned = ready.send(ready.planner, plan_goal(scene)).get_result_async()
    processes["planner"].interrupt()
    processes["expert"].interrupt()
    assert ready.canceled.wait(GUARD)
    # Whoever waits gets an answer.
    response = ready.await_result(performed)
    assert response.status == GoalStatus.STATUS_ABORTED
    assert response.result.error_code == Code.CANCELED
    response = ready.await_result(planned)
    assert response.status in (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_ABORTED)
    assert bool(response.result.phases) == (response.result.error_code == Code.NONE)
    for name in ("planner", "expert"):
        processes.pop(name).end()


def test_a_dead_robot_ends_the_task(cell: Cell, cache: Path, scene: SceneObject) -> None:
    """A node that waited for ever would keep a collection from ever ending."""
    cell.on_system_time = True
    cell.place(scene_message(scene, "box"), HOME.tolist())
    processes = [Process("kpam_planner", cache), Process("kpam_expert", cache)]
    try:
        cell.arm = cell.hang
        # On the clock of the system, as on a real robot.
        status, result = cell.end(execute(cell, timeout=0.5))
        assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.TIMEOUT)
        cell.running.clear()
        cell.canceled.clear()
        handle = execute(cell)
        assert cell.running.wait(GUARD)
        cell.robot_dies()
        status, result = cell.end(handle)
        assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.INTERNAL)
        assert "has gone" in result.error_msg
    finally:
        end_all(*processes)
