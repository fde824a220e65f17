"""What is seen of planner and expert: pictures of plans, diagnostics, and who is frozen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim2_kpam.plan import SceneObject
from gensim2_kpam.solver_config import LARGEST_FILE
from gensim2_tasks.assets import AssetLibrary
from kpam_scenes import HOME, draw
from public_solvers import SOLVERS

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.action", reason="needs the built workspace")

from action_msgs.msg import GoalStatus, GoalStatusArray
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.hardware import ARM_JOINTS
from geometry_msgs.msg import PoseArray
from kpam_messages import far_away, plan_goal, scene_message
from kpam_processes import DOMAIN, ROOT, Process, end_all
from nav_msgs.msg import Path as PathMessage
from rclpy.qos import QoSProfile, qos_profile_action_status_default
from scripted_cell import GUARD, LATCHED, Cell
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker, MarkerArray

from gensim2_msgs.action import ExecuteTask, PlanTask

PATIENCE = 5.0  # s, of the expert with a robot that is frozen
PLAN_PATIENCE = 10.0  # s, with a planner; it may plan as long on a busy machine
Code = ExecuteTask.Result
FROZEN = "kpam_planner does not answer: is it frozen?"
NO_ROBOT = f"no word from the robot for {PATIENCE:g} s"


class Listener:
    """Everything that came on a topic."""

    def __init__(self, cell: Cell, kind: Any, topic: str, qos: QoSProfile | int = 10) -> None:
        self._node = cell.node
        self.news = threading.Condition()
        self.heard: list[Any] = []
        self._subscription = self._node.create_subscription(kind, topic, self._hear, qos)

    def _hear(self, message: Any) -> None:
        with self.news:
            self.heard.append(message)
            self.news.notify_all()

    def wait(self, found: Callable[[list[Any]], Any], what: str) -> Any:
        """What ``found`` makes of all that came, once it is something."""
        with self.news:
            came = self.news.wait_for(lambda: found(self.heard), GUARD)
            assert came, f"{what}: {self.heard[-3:]}"
            return found(self.heard)

    def close(self) -> None:
        self._node.destroy_subscription(self._subscription)


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        profile = ROOT / "launch" / "config" / "fastdds_profile.xml"
        patch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
        cell = Cell(DOMAIN, silent=("/joint_states", "/scene/state"))
        yield cell
        cell.close()


@pytest.fixture(scope="module")
def diagnostics(cell: Cell) -> Listener:
    return Listener(cell, DiagnosticArray, "diagnostics", 50)


@pytest.fixture(scope="module")
def slow_solvers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A solver configuration that takes long to read, so that things happen meanwhile."""
    folder = tmp_path_factory.mktemp("solvers")
    text = SOLVERS["OpenBox"].yaml()
    start = "object_keypoint_name_list: ["
    names = "a, " * ((LARGEST_FILE - len(text) - 1000) // 3)
    assert start in text
    (folder / "OpenBox.yaml").write_text(text.replace(start, start + names), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def processes(
    cell: Cell, tmp_path_factory: pytest.TempPathFactory, slow_solvers: Path
) -> Iterator[dict[str, Process]]:
    cache = tmp_path_factory.mktemp("cache")
    patience = (
        f"plan_timeout:={PLAN_PATIENCE}",
        f"body_timeout:={PATIENCE}",
        # The clock of the mock robot falls behind where this machine is busy.
        "observation_period:=10.0",
    )
    started = {
        "planner": Process("kpam_planner", cache, f"solver_root:={slow_solvers}"),
        "expert": Process("kpam_expert", cache, *patience),
    }
    yield started
    end_all(*started.values())


@pytest.fixture(scope="module")
def scene(library: AssetLibrary) -> SceneObject:
    return draw("OpenBox", library, 4)


def reports(name: str, heard: list[DiagnosticArray]) -> list[DiagnosticStatus]:
    return [s for array in heard for s in array.status if s.name == name]


def report(
    diagnostics: Listener, name: str, match: Callable[[DiagnosticStatus], bool], what: str
) -> dict[str, str]:
    """Figures of the newest report of a component, once it matches."""
    found: DiagnosticStatus = diagnostics.wait(
        lambda heard: next(filter(match, reports(name, heard)[-1:]), None), what
    )
    return {value.key: value.value for value in found.values}


def is_(level: bytes, message: str) -> Callable[[DiagnosticStatus], bool]:
    return lambda status: (status.level, status.message) == (level, message)


EXPERT, PLANNER = "kpam_expert: expert", "kpam_planner: planner"
OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN


@pytest.mark.usefixtures("processes")
def test_the_expert_says_what_it_does_and_what_it_has_never_heard(
    cell: Cell, diagnostics: Listener, scene: SceneObject
) -> None:
    nothing = "idle; scene/state never heard; joint_states never heard"
    values = report(diagnostics, EXPERT, is_(WARN, nothing), "never heard")
    assert values["age of scene/state"] == values["age of joint_states"] == "never heard"
    cell.on_system_time = True
    cell.place(scene_message(scene, "box"), HOME.tolist())
    values = report(diagnostics, EXPERT, is_(OK, "idle"), "all is well")
    assert values["last"] == "none"
    assert float(values["age of joint_states"].split()[0]) < PATIENCE
    report(diagnostics, PLANNER, is_(OK, "idle"), "the planner is up")
    cell.arm = cell.hang
    handle = cell.send(cell.expert, ExecuteTask.Goal(task="OpenBox"))
    report(diagnostics, EXPERT, is_(OK, "performing OpenBox: approach"), "a task runs")
    cell.await_result(handle.cancel_goal_async())
    assert cell.end(handle)[0] == GoalStatus.STATUS_CANCELED
    values = report(diagnostics, EXPERT, is_(OK, "idle"), "the task has ended")
    assert values["last"] == "OpenBox: canceled"
    cell.silent = ("/joint_states",)
    report(diagnostics, EXPERT, is_(WARN, "idle; no more joint_states"), "the robot is silent")
    cell.silent = ()
    report(diagnostics, EXPERT, is_(OK, "idle"), "the robot is back")


@pytest.mark.usefixtures("processes")
def test_the_planner_reports_while_it_plans(
    cell: Cell, diagnostics: Listener, scene: SceneObject
) -> None:
    """Or one that plans could not be told from one that is frozen."""

    def twice(heard: list[DiagnosticArray]) -> bool:
        """Two reports in the middle of the same plan; the first one tells of its begin."""
        planning = [s.values for s in reports(PLANNER, heard) if s.message == "planning"]
        return any(a == b for a, b in pairwise(planning))

    with diagnostics.news:
        diagnostics.heard.clear()
    for _ in range(20):  # One report a second: a fast machine may plan in between.
        handles = [cell.send(cell.planner, plan_goal(scene)) for _ in range(5)]
        # The threads that are left are for reports and cancels.
        assert [handle.accepted for handle in handles] == [True] * 4 + [False]
        for handle in handles[:4]:
            status, result = cell.end(handle)
            assert status == GoalStatus.STATUS_SUCCEEDED, result.error_msg
        with diagnostics.news:
            if twice(diagnostics.heard):
                break
    else:
        pytest.fail("no report while it plans")
    before = report(diagnostics, PLANNER, is_(OK, "idle"), "idle again")
    assert int(before["plans"]) >= 4
    assert before["last"] == "planned"
    assert float(before["CPU time, p95"].split()[0]) >= float(before["CPU time, median"].split()[0])
    cell.end(cell.send(cell.planner, plan_goal(scene, task="OpenBocks")))
    after = report(
        diagnostics, PLANNER, lambda s: any(v.value == "unknown_task" for v in s.values), "failed"
    )
    assert after["plans"] == before["plans"]
    assert after["failures: unknown_task"] == "1"


def late_look(cell: Cell, kind: Any, topic: str) -> Any:
    """What somebody sees who subscribes when all has happened."""
    listener = Listener(cell, kind, topic, LATCHED)
    newest = listener.wait(lambda heard: heard and heard[-1], topic)
    listener.close()
    return newest


@pytest.mark.usefixtures("processes")
def test_who_comes_late_sees_the_plan_or_why_there_is_none(cell: Cell, scene: SceneObject) -> None:
    goal = plan_goal(scene)
    goal.scene.header.stamp.sec = 77
    status, result = cell.end(cell.send(cell.planner, goal))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_msg
    path = late_look(cell, PathMessage, "kpam_planner/path")
    assert (path.header.frame_id, path.header.stamp.sec) == ("base", 77)
    assert len(path.poses) > 50
    poses = late_look(cell, PoseArray, "kpam_planner/key_poses")
    assert (poses.header.frame_id, poses.header.stamp.sec) == ("base", 77)
    assert poses.poses == result.key_poses.poses
    end, last = path.poses[-1].pose.position, poses.poses[-1].position
    assert abs(end.x - last.x) + abs(end.y - last.y) + abs(end.z - last.z) < 1e-3
    markers = late_look(cell, MarkerArray, "kpam_planner/markers").markers
    assert markers[0].action == Marker.DELETEALL
    kinds = {m.ns: m.type for m in markers[1:]}
    expected = {
        "object_keypoints": Marker.SPHERE_LIST,
        "object_keypoints_names": Marker.TEXT_VIEW_FACING,
        "tool_keypoints": Marker.SPHERE_LIST,
        "key_poses": Marker.LINE_LIST,
        "way": Marker.LINE_LIST,
        "tool_axes": Marker.ARROW,
        "target_axes": Marker.ARROW,
        "point_constraints": Marker.LINE_LIST,
    }
    assert expected.items() <= kinds.items()
    assert all(m.header.frame_id == "base" for m in markers)
    assert "OpenBox: solver OpenBox" in [m.text for m in markers]
    _, failed = cell.end(cell.send(cell.planner, plan_goal(scene, scene=far_away(scene))))
    assert failed.error_code != PlanTask.Result.NONE
    markers = late_look(cell, MarkerArray, "kpam_planner/markers").markers
    assert markers[0].action == Marker.DELETEALL
    assert any(failed.error_msg[:40] in m.text for m in markers)
    assert {m.ns for m in markers[1:]} == {"object_keypoints", "object_keypoints_names", "title"}
    assert late_look(cell, PathMessage, "kpam_planner/path").poses == []
    assert late_look(cell, PoseArray, "kpam_planner/key_poses").poses == []


def test_a_frozen_planner_ends_the_task(
    cell: Cell, processes: dict[str, Process], scene: SceneObject
) -> None:
    cell.on_system_time = True
    cell.place(scene_message(scene, "box"), HOME.tolist())
    planner = processes["planner"]
    statuses = Listener(
        cell, GoalStatusArray, "kpam_planner/plan/_action/status", qos_profile_action_status_default
    )
    # Others are before it, so that it waits for its plan.
    others = [cell.send(cell.planner, plan_goal(scene)) for _ in range(3)]
    handle = cell.send(cell.expert, ExecuteTask.Goal(task="OpenBox"))
    statuses.wait(lambda heard: heard and unfinished(heard[-1]) == 4, "all are accepted")
    ends_while_frozen(cell, planner, handle)
    # What was given up does not stand in the way of others.
    for other in others:
        assert cell.end(other)[0] == GoalStatus.STATUS_SUCCEEDED
    statuses.wait(lambda heard: unfinished(heard[-1]) == 0, "all have ended")
    statuses.close()
    # And one that is frozen before it is asked.
    planner.freeze(True)
    ends_while_frozen(cell, planner, cell.send(cell.expert, ExecuteTask.Goal(task="OpenBox")))
    assert cell.ends == [], "the arm has moved"
    status, result = cell.end(cell.send(cell.expert, ExecuteTask.Goal(task="OpenBox")))
    assert status == GoalStatus.STATUS_SUCCEEDED, result.error_msg


def ends_while_frozen(cell: Cell, planner: Process, handle: Any) -> None:
    """Not for longer than the middleware keeps sight of a silent process."""
    planner.freeze(True)
    try:
        status, result = cell.end(handle)
    finally:
        planner.freeze(False)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.INTERNAL)
    assert FROZEN in result.error_msg


def unfinished(statuses: GoalStatusArray) -> int:
    """How many goals a server has accepted that have not ended."""
    return sum(s.status <= GoalStatus.STATUS_CANCELING for s in statuses.status_list)


@pytest.mark.usefixtures("processes")
def test_a_frozen_robot_ends_the_task(cell: Cell, tmp_path: Path, scene: SceneObject) -> None:
    """The mock robot; the scripted one makes room for it."""
    cell.on_system_time = True
    cell.place(scene_message(scene, "box"), HOME.tolist())
    cell.make_room()
    urdf = ROOT / "launch" / "urdf" / "fr3.urdf"
    robot = Process("mock_robot", tmp_path, f"urdf:={urdf}", package="gensim2_control")
    joints = Listener(cell, JointState, "joint_states")
    goals = Listener(
        cell,
        GoalStatusArray,
        "fr3_arm_controller/follow_joint_trajectory/_action/status",
        qos_profile_action_status_default,
    )

    def arm(message: JointState, field: str) -> np.ndarray:
        of = dict(zip(message.name, getattr(message, field), strict=True))
        return np.array([of[name] for name in ARM_JOINTS])

    def moving(heard: list[JointState]) -> bool:
        return bool(np.abs(arm(heard[-1], "velocity")).max() > 0.05) if heard else False

    try:
        joints.wait(bool, "the robot is up")
        handle = cell.send(cell.expert, ExecuteTask.Goal(task="OpenBox"))
        ended = handle.get_result_async()
        joints.wait(lambda heard: moving(heard) or ended.done(), "the arm moves")
        assert not ended.done(), ended.result()
        robot.freeze(True)
        response = cell.await_result(ended)
        status, result = response.status, response.result
        assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Code.EXECUTION_FAILED)
        assert NO_ROBOT in result.error_msg
        robot.freeze(False)
        # The goal is not left to itself.
        goals.wait(lambda heard: heard and unfinished(heard[-1]) == 0, "the goal has ended")
        ends = {s.status for s in goals.heard[-1].status_list}
        assert GoalStatus.STATUS_SUCCEEDED not in ends, "the arm has gone all the way"
        joints.wait(lambda heard: not moving(heard), "the arm comes to rest")
    finally:
        robot.freeze(False)
        joints.close()
        goals.close()
        end_all(robot)
