"""mock_robot as a process, and a client of everything it offers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from control_msgs.action import FollowJointTrajectory, GripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.hardware import ARM_JOINTS, Array
from gensim2_control.limits import JointLimits
from gensim2_control.ros.conversions import seconds, trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.spin import spin
from gensim2_control.trajectory import Trajectory, point_to_point
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from gensim2_msgs.msg import RobotStatus

PROGRAM = "import sys; from gensim2_control.programs import mock_robot; sys.exit(mock_robot())"
ROOT = Path(__file__).resolve().parents[3]
GUARD = 60.0  # s; only ends a test that hangs
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
ARM = "fr3_arm_controller"


def graph_environment(domain: int) -> dict[str, str]:
    """Environment of the processes of one graph."""
    return {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(ROOT / "launch" / "config" / "fastdds_profile.xml"),
    }


@contextlib.contextmanager
def joined(domain: int) -> Iterator[int]:
    """Put this process, and whatever it starts, into a graph."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in graph_environment(domain).items():
            patch.setenv(name, value)
        yield domain


def start_robot(
    environment: dict[str, str], *parameters: str, remap: str = ""
) -> subprocess.Popen[str]:
    words = [word for given in parameters for word in ("-p", given)]
    if remap:
        words += ["-r", remap]
    urdf = ROOT / "launch" / "urdf" / "fr3.urdf"
    return subprocess.Popen(
        [
            *(sys.executable, "-c", PROGRAM),
            *("--ros-args", "-p", f"urdf:={urdf}", *words),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Client:
    """Everything a client of the body needs, as blocking calls with a guard."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("test_client", context=self.context)
        self.arm = SafeActionClient(
            self.node, FollowJointTrajectory, f"{ARM}/follow_joint_trajectory"
        )
        self.gripper = SafeActionClient(self.node, GripperCommand, "fr3_gripper/gripper_action")
        self.feedback: list[Any] = []
        self.heard: dict[str, list[Any]] = {}
        self.news = threading.Condition()
        for topic, kind, qos in (
            ("joint_states", JointState, 10),
            ("robot_status", RobotStatus, LATCHED),
            ("diagnostics", DiagnosticArray, 10),
            (f"{ARM}/controller_state", JointTrajectoryControllerState, 10),
            ("fr3_gripper/controller_state", JointTrajectoryControllerState, 10),
        ):
            best_effort = topic.endswith("controller_state")
            profile = qos_profile_sensor_data if best_effort else qos
            self.node.create_subscription(kind, topic, self._hear(topic), profile)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._executor.shutdown(GUARD)
        self._thread.join(GUARD)
        rclpy.shutdown(context=self.context)

    def wait(self, topic: str, match: Callable[[Any], bool], fresh: bool = False) -> Any:
        """Return the newest message of a topic that matches, waiting for one."""
        with self.news:
            if fresh:
                self.heard.get(topic, []).clear()
            found = self.news.wait_for(
                lambda: any(match(m) for m in self.heard.get(topic, [])[-1:]), GUARD
            )
            assert found, f"{topic}: {self.heard.get(topic, [])[-1:]}"
            return self.heard[topic][-1]

    def result(self, future: Any) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(GUARD), "no answer"
        return future.result()

    def call(self, name: str) -> Trigger.Response:
        service = self.node.create_client(Trigger, name)
        assert service.wait_for_service(GUARD)
        return self.result(service.call_async(Trigger.Request()))

    def inject(self, **values: Any) -> None:
        service = self.node.create_client(SetParameters, "mock_robot/set_parameters")
        assert service.wait_for_service(GUARD)
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        results = self.result(service.call_async(request)).results
        assert all(result.successful for result in results), results

    def send(self, trajectory: Trajectory | JointTrajectory, **fields: Any) -> Any:
        message = trajectory
        if isinstance(trajectory, Trajectory):
            message = trajectory_to_msg(trajectory)
        assert self.arm.wait_for_server(GUARD)
        goal = FollowJointTrajectory.Goal(trajectory=message, **fields)
        return self.result(self.arm.send_goal_async(goal, self.feedback.append))

    def grip(self, position: float, effort: float = 0.0) -> Any:
        assert self.gripper.wait_for_server(GUARD)
        goal = GripperCommand.Goal()
        goal.command.position, goal.command.max_effort = position, effort
        return self.result(self.gripper.send_goal_async(goal, self.feedback.append))

    def end(self, handle: Any) -> tuple[int, Any]:
        assert handle.accepted
        response = self.result(handle.get_result_async())
        return response.status, response.result

    def q(self) -> Array:
        message = self.wait("joint_states", lambda m: True, fresh=True)
        positions = dict(zip(message.name, message.position, strict=True))
        return np.array([positions[name] for name in ARM_JOINTS])

    def status(self, mode: int, **fields: Any) -> RobotStatus:
        return self.wait(
            "robot_status",
            lambda m: m.mode == mode and all(getattr(m, k) == v for k, v in fields.items()),
        )

    def move(self, offset: float, speed: float = 0.3) -> Trajectory:
        q = self.q()
        target = q.copy()
        target[0] += offset
        limits = JointLimits.fr3().reduced(velocity=speed, acceleration=0.3)
        return point_to_point(q, target, limits)

    def _hear(self, topic: str) -> Callable[[Any], None]:
        def callback(message: Any) -> None:
            with self.news:
                self.heard.setdefault(topic, []).append(message)
                self.news.notify_all()

        return callback


def life(client: Client, transition: int, node: str = "mock_robot") -> bool:
    """Ask for a transition of the life of a node; return whether it was made."""
    service = client.node.create_client(ChangeState, f"{node}/change_state")
    assert service.wait_for_service(GUARD)
    request = ChangeState.Request()
    request.transition.id = transition
    return client.result(service.call_async(request)).success


def life_state(client: Client, node: str = "mock_robot") -> int:
    """Return where in its life a node is."""
    service = client.node.create_client(GetState, f"{node}/get_state")
    assert service.wait_for_service(GUARD)
    return client.result(service.call_async(GetState.Request())).current_state.id


def time_of_rest(client: Client) -> float:
    """Return the time of the first joint state since the last look in which the arm rests, s."""
    client.wait("joint_states", lambda m: np.abs(m.velocity[:7]).max() < 0.01)
    with client.news:
        states = client.heard["joint_states"]
        moving = [i for i, m in enumerate(states) if np.abs(m.velocity[:7]).max() >= 0.01]
        return seconds(states[moving[-1] + 1].header.stamp)


DOOMED_CLIENT = """
import sys, rclpy
from control_msgs.action import FollowJointTrajectory
from gensim2_control.ros.heartbeat import ClientHeartbeat
from rclpy.action import ActionClient
from rclpy.serialization import deserialize_message

rclpy.init()
node = rclpy.create_node("doomed")
heartbeat = ClientHeartbeat(node)
client = ActionClient(node, FollowJointTrajectory, sys.argv[1])
client.wait_for_server()
goal = deserialize_message(bytes.fromhex(sys.argv[2]), FollowJointTrajectory.Goal)
future = client.send_goal_async(goal)
rclpy.spin_until_future_complete(node, future)
if sys.argv[3:] == ["hang"]:
    # The process lives, and so does its middleware.
    sys.stdin.read()
rclpy.spin(node)
"""


@contextlib.contextmanager
def doomed_client(
    client: Client, environment: dict[str, str], *how: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A client in a process of its own, whose goal moves the arm."""
    goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(client.move(1.5, speed=0.1)))
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", DOOMED_CLIENT),
            *(f"{ARM}/follow_joint_trajectory", serialize_message(goal).hex(), *how),
        ],
        env=environment,
        stdin=subprocess.PIPE,
    )
    try:
        client.status(RobotStatus.MOVING, in_motion=True)
        client.wait("joint_states", lambda m: m.velocity[0] > 0.02)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=GUARD)
