"""The node `teleop` and the keyboard as processes, driving a body over the graph."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "gensim2_control" / "test"))

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from action_msgs.msg import GoalStatus
from gensim2_control.ros.safe_action_client import SafeActionClient
from mock_process import LATCHED, ROOT, Client, graph_environment, start_robot
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import RobotStatus

DOMAINS = iter(1 + (os.getpid() + 5 + i) % 95 for i in range(0, 12, 3))
GUARD = 60.0
HELP_LINES = 6


class Keyboard:
    """The program `keyboard` at a terminal of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._master, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [shutil.which("ros2") or "ros2", "run", "gensim2_teleop", "keyboard"],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        os.close(terminal)
        assert self.process.stdout is not None
        for _ in range(HELP_LINES):
            self.process.stdout.readline()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def leave(self) -> str:
        """Press Ctrl-C, and return what was shown since the help."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate(timeout=GUARD)
        os.close(self._master)
        return output


class Cell:
    """A body that breaks on demand, `teleop`, and a client of both."""

    def __init__(self, domain: int) -> None:
        self.environment = graph_environment(domain)
        self.robot = start_robot(self.environment)
        self.teleop = subprocess.Popen(
            [shutil.which("ros2") or "ros2", "run", "gensim2_teleop", "teleop"],
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
        self.tasks = SafeActionClient(node, ExecuteTask, "teleop/execute_task")

    def begin(self, task: str = "OpenDrawer") -> object:
        """Ask for a demonstration; return the handle of the goal."""
        assert self.tasks.wait_for_server(GUARD)
        goal = ExecuteTask.Goal(task=task)
        handle = self.client.result(self.tasks.send_goal_async(goal))
        assert handle.accepted
        return handle

    def close(self) -> str:
        """End everything; return what `teleop` has said."""
        for process in (self.teleop, self.robot):
            process.terminate()
        said, _ = self.teleop.communicate(timeout=GUARD)
        self.robot.communicate(timeout=GUARD)
        self.client.close()
        return said


@pytest.fixture
def cell() -> Iterator[Cell]:
    """A graph of its own."""
    made = Cell(next(DOMAINS))
    yield made
    if made.teleop.poll() is None:
        made.close()


def test_a_person_drives_with_the_keyboard_and_says_when_it_is_done(cell: Cell) -> None:
    """Moves the arm up, closes the fingers, ends the demonstration, and it ends at rest."""
    client, handle = cell.client, cell.begin()
    keyboard = Keyboard(cell.environment)
    try:
        before = client.q()
        moving = 0
        while np.abs(client.q() - before).max() < 0.05:
            keyboard.type("e")
            moving += 1
            assert moving < 400, "the arm does not move"
        keyboard.type("g")
        client.wait("fr3_gripper/controller_state", lambda m: m.feedback.positions[0] < 0.005)
        keyboard.type("y")
        status, result = client.end(handle)
        said = keyboard.leave()
    finally:
        keyboard.process.kill()
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, ExecuteTask.Result.NONE)
    assert np.abs(client.wait("joint_states", lambda m: True, fresh=True).velocity[:7]).max() < 0.02
    assert "scene/success: no node offers it" in said and "Traceback" not in said
    # Another may stream now.
    assert not client.node.get_publishers_info_by_topic("fr3_arm_controller/joint_trajectory")
    assert "Traceback" not in cell.close()


def test_a_stop_ends_a_demonstration_and_the_next_one_works_after_recover(cell: Cell) -> None:
    """The space bar is the operator's stop, wherever the hands are."""
    client, handle = cell.client, cell.begin()
    chunks: list[JointTrajectory] = []
    topic = "fr3_arm_controller/joint_trajectory"
    client.node.create_subscription(JointTrajectory, topic, chunks.append, 10)
    keyboard = Keyboard(cell.environment)
    try:
        keyboard.type(" ")
        status, result = client.end(handle)
        assert status == GoalStatus.STATUS_ABORTED
        assert result.error_code == ExecuteTask.Result.EXECUTION_FAILED
        assert "STOP_REQUESTED" in result.error_msg
        keyboard.type("R")
        client.status(RobotStatus.IDLE, motion_possible=True)
        again = cell.begin()
        keyboard.type("n")
        assert client.end(again)[0] == GoalStatus.STATUS_SUCCEEDED
        keyboard.leave()
    finally:
        keyboard.process.kill()
    assert not chunks, "nobody has asked for a motion"


def test_a_task_that_is_none_is_refused_with_its_name(cell: Cell) -> None:
    status, result = cell.client.end(cell.begin("OpenDoors"))
    assert status == GoalStatus.STATUS_ABORTED
    assert result.error_code == ExecuteTask.Result.UNKNOWN_TASK and "OpenDoors" in result.error_msg
