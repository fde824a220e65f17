"""The node `policy` as a process, driving a body over the graph."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_control" / "test"))

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from control_msgs.msg import JointTrajectoryControllerState
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_perception.fusion_messages_node import xyzrgb_cloud
from gensim2_policy.untrained import TASK, save_untrained
from mock_process import LATCHED, ROOT, Client, graph_environment, start_robot
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState, PointCloud2
from std_msgs.msg import String

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import RobotStatus

DOMAINS = iter(1 + (os.getpid() + 31 + i) % 95 for i in range(0, 12, 3))
GUARD = 60.0
POINTS = np.random.default_rng(0).uniform([0.3, -0.3, 0.0], [0.8, 0.3, 0.3], (64, 3))
ACCELERATION = 10.0  # rad/s^2, of the body


class Cell:
    """A body, a policy, a camera that sees a cloud, and a client of them all."""

    def __init__(self, domain: int, policy: Path) -> None:
        self.environment = graph_environment(domain)
        self.robot = start_robot(self.environment)
        words = ["-p", f"policy:={policy}", "-p", "silence:=2.0", "-p", "rest:=30.0"]
        self.policy = subprocess.Popen(
            [
                shutil.which("ros2") or "ros2",
                *("run", "gensim2_policy", "policy", "--ros-args", *words),
            ],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.client = Client(domain)
        node = self.client.node
        self._description = node.create_publisher(String, "robot_description", LATCHED)
        urdf = ROOT / "launch" / "urdf" / "fr3.urdf"
        self._description.publish(String(data=urdf.read_text()))
        self.cloud: np.ndarray | None = POINTS.astype(np.float32)
        self._points = node.create_publisher(PointCloud2, "points", 10)
        self._lock, self._count = threading.Lock(), 0
        node.create_subscription(JointState, "joint_states", self._look, 10)
        self.references: list[tuple[float, np.ndarray]] = []
        node.create_subscription(
            JointTrajectoryControllerState,
            "fr3_arm_controller/controller_state",
            self._on_reference,
            qos_profile_sensor_data,
        )
        self.tasks = SafeActionClient(node, ExecuteTask, "policy/execute_task")

    def _look(self, message: JointState) -> None:
        """Sees a cloud at every tenth joint state."""
        self._count += 1
        if self.cloud is not None and self._count % 10 == 0:
            rgb = np.zeros((len(self.cloud), 3), np.uint8)
            stamp = message.header.stamp
            ns = stamp.sec * 10**9 + stamp.nanosec
            self._points.publish(xyzrgb_cloud(ns, "base", self.cloud, rgb))

    def _on_reference(self, message: JointTrajectoryControllerState) -> None:
        stamp = message.header.stamp
        t = stamp.sec + 1e-9 * stamp.nanosec
        self.references.append((t, np.array(message.reference.velocities)))

    def begin(self, task: str = TASK, instruction: str = "") -> Any:
        """Give it a task; return the handle of the goal."""
        assert self.tasks.wait_for_server(GUARD)
        goal = ExecuteTask.Goal(task=task, instruction=instruction)
        handle = self.client.result(self.tasks.send_goal_async(goal))
        assert handle.accepted
        return handle

    def close(self) -> str:
        """End everything; return what the policy has said."""
        for process in (self.policy, self.robot):
            process.terminate()
        said, _ = self.policy.communicate(timeout=GUARD)
        self.robot.communicate(timeout=GUARD)
        self.client.close()
        return said


@pytest.fixture
def cell(tmp_path: Path) -> Iterator[Cell]:
    """A graph of its own."""
    made = Cell(next(DOMAINS), save_untrained(tmp_path / "run"))
    yield made
    if made.policy.poll() is None:
        made.close()


def test_it_moves_smoothly_and_a_cancel_brings_the_arm_to_rest(cell: Cell) -> None:
    """Chunk after chunk, for a few seconds; the velocity never leaps between them."""
    client, handle = cell.client, cell.begin()
    before = client.q()
    client.wait("joint_states", lambda m: np.abs(m.position[:7] - before).max() > 0.05)
    count = len(cell.references)
    client.wait("joint_states", lambda m: len(cell.references) > count + 60)
    client.result(handle.cancel_goal_async())
    status, result = client.end(handle)
    assert (status, result.error_code) == (
        GoalStatus.STATUS_CANCELED,
        ExecuteTask.Result.CANCELED,
    )
    client.status(RobotStatus.IDLE, motion_possible=True)
    assert np.abs(client.wait("joint_states", lambda m: True, fresh=True).velocity[:7]).max() < 0.02
    t = np.array([t for t, _ in cell.references])
    dq = np.array([v for _, v in cell.references])
    assert np.abs(dq).max() > 0.05
    steps = np.diff(t) > 1e-3
    assert (
        np.abs(np.diff(dq, axis=0))[steps] <= ACCELERATION * np.diff(t)[steps, None] + 1e-6
    ).all()
    # Another may stream now.
    assert not client.node.get_publishers_info_by_topic("fr3_arm_controller/joint_trajectory")
    assert "Traceback" not in cell.close()


def test_without_clouds_or_with_broken_ones_it_stops_and_says_why(cell: Cell) -> None:
    """A camera fails in the middle; then it sees points that are none; then all is well again."""
    client, handle = cell.client, cell.begin()
    before = client.q()
    client.wait("joint_states", lambda m: np.abs(m.position[:7] - before).max() > 0.02)
    cell.cloud = None
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_code == ExecuteTask.Result.SENSOR_STALE and "cloud" in result.error_msg
    client.status(RobotStatus.IDLE, motion_possible=True)
    cell.cloud = np.full((64, 3), np.nan, np.float32)
    _, result = client.end(cell.begin())
    assert result.error_code == ExecuteTask.Result.SENSOR_STALE
    assert "not finite" in result.error_msg
    cell.cloud = POINTS.astype(np.float32)
    handle = cell.begin()
    before = client.q()
    client.wait("joint_states", lambda m: np.abs(m.position[:7] - before).max() > 0.02)
    client.result(handle.cancel_goal_async())
    assert client.end(handle)[1].error_code == ExecuteTask.Result.CANCELED
    assert "Traceback" not in cell.close()


def test_a_stop_ends_the_task_and_what_it_does_not_know_is_refused(cell: Cell) -> None:
    client, handle = cell.client, cell.begin()
    before = client.q()
    client.wait("joint_states", lambda m: np.abs(m.position[:7] - before).max() > 0.02)
    assert client.call("robot/stop").success
    status, result = client.end(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_code == ExecuteTask.Result.EXECUTION_FAILED
    assert "STOP_REQUESTED" in result.error_msg
    assert client.call("robot/recover").success
    _, result = client.end(cell.begin("MakeTea"))
    assert result.error_code == ExecuteTask.Result.UNKNOWN_TASK
    assert "MakeTea" in result.error_msg and TASK in result.error_msg


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "name the folder of a run"),
        (("-p", "policy:={cut}"), "cut off"),
    ],
    ids=["none", "cut"],
)
def test_a_policy_that_cannot_be_used_ends_the_node_at_once(
    tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    cut = save_untrained(tmp_path / "cut")
    weights = cut / "checkpoints" / "best" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    given = [word.format(cut=cut) for word in words]
    ended = subprocess.run(
        ["ros2", "run", "gensim2_policy", "policy", *(("--ros-args", *given) if given else ())],
        env=graph_environment(next(DOMAINS, 94)),
        capture_output=True,
        text=True,
        timeout=GUARD,
        check=False,
    )
    assert ended.returncode not in (0, 130) and text in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
