"""sim_bridge as a process, and a client of everything it offers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from control_msgs.action import FollowJointTrajectory, GripperCommand
from gensim2_control.ros.conversions import nanoseconds, trajectory_to_msg
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.spin import spin
from gensim2_control.trajectory import Trajectory
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from gensim2_msgs.msg import RobotStatus, SceneState
from gensim2_msgs.srv import ResetScene

ROOT = Path(__file__).resolve().parents[3]
GUARD = 60.0  # s; only ends a test that hangs
OBSERVATION, JOINT_STATE = 100_000_000, 10_000_000  # ns
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FAST = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
ARM = "fr3_arm_controller"


class Bridge:
    """The process; its output is kept."""

    def __init__(self, domain: int, *parameters: str, **environment: str) -> None:
        words = [word for given in parameters for word in ("-p", given)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gensim2_sim_bridge.sim_bridge_node", "--ros-args", *words],
            env={
                **os.environ,
                "ROS_DOMAIN_ID": str(domain),
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                "FASTRTPS_DEFAULT_PROFILES_FILE": str(
                    ROOT / "launch" / "config" / "fastdds_profile.xml"
                ),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, number: int | None = None) -> tuple[int, str]:
        """Wait for the end, after a signal if one is given; return exit code and output."""
        if number is not None:
            self.process.send_signal(number)
        try:
            output, _ = self.process.communicate(timeout=GUARD)
        finally:
            self.process.kill()
        return self.process.returncode, output


class Client:
    """Topics as lists of messages; services and actions as blocking calls with a guard."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("test_client", context=self.context)
        self.heard: dict[str, list[Any]] = {}
        self.news = threading.Condition()
        self.subscribe("/clock", Clock, FAST)
        self.subscribe("joint_states", JointState, QoSProfile(depth=1000))
        self.subscribe("robot_status", RobotStatus, LATCHED)
        self.subscribe("scene/state", SceneState, LATCHED)
        self.arm = SafeActionClient(
            self.node, FollowJointTrajectory, f"{ARM}/follow_joint_trajectory"
        )
        self.gripper = SafeActionClient(self.node, GripperCommand, "fr3_gripper/gripper_action")
        self.ack = self.node.create_publisher(Header, "recorder/ack", LATCHED)
        self._paced = False
        self._services: dict[str, Any] = {}
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._executor.shutdown(GUARD)
        self._thread.join(GUARD)
        rclpy.shutdown(context=self.context)

    def subscribe(self, topic: str, kind: Any, qos: QoSProfile) -> None:
        def callback(message: Any) -> None:
            with self.news:
                self.heard[topic].append(message)
                self.news.notify_all()
            if self._paced and topic == "joint_states":
                self._pace(nanoseconds(message.header.stamp))

        self.heard[topic] = []
        self.node.create_subscription(kind, topic, callback, qos)

    def subscribe_camera(self, name: str) -> None:
        pictures = QoSProfile(depth=5)
        self.subscribe(f"{name}/color/image_raw", Image, pictures)
        self.subscribe(f"{name}/aligned_depth_to_color/image_raw", Image, pictures)
        self.subscribe(f"{name}/color/camera_info", CameraInfo, pictures)

    def wait(self, topic: str, match: Callable[[Any], bool] = lambda m: True) -> Any:
        """Return the first message of a topic that matches, heard already or to come."""

        def found() -> Any:
            return next((m for m in self.heard[topic] if match(m)), None)

        with self.news:
            assert self.news.wait_for(found, GUARD), f"{topic}: {self.heard[topic][-1:]}"
            return found()

    def collect(self, topic: str, count: int) -> list[Any]:
        """Return the next messages of a topic."""
        with self.news:
            start = len(self.heard[topic])
            enough = self.news.wait_for(lambda: len(self.heard[topic]) >= start + count, GUARD)
            assert enough, f"{topic}: {len(self.heard[topic]) - start} of {count}"
            return self.heard[topic][start:]

    def forget(self) -> None:
        with self.news:
            for messages in self.heard.values():
                messages.clear()

    def result(self, future: Any) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(GUARD), "no answer"
        return future.result()

    def service(self, kind: Any, name: str) -> Any:
        if name not in self._services:
            self._services[name] = self.node.create_client(kind, name)
            assert self._services[name].wait_for_service(GUARD), f"no service {name}"
        return self._services[name]

    def call(self, name: str) -> Trigger.Response:
        return self.result(self.service(Trigger, name).call_async(Trigger.Request()))

    def reset(self, task: str = "OpenBox", asset: str = "", seed: int = 0) -> ResetScene.Response:
        request = ResetScene.Request(task=task, asset=asset, seed=seed, randomize=True)
        return self.result(self.service(ResetScene, "scene/reset").call_async(request))

    def send(self, trajectory: Trajectory) -> Any:
        assert self.arm.wait_for_server(GUARD)
        goal = FollowJointTrajectory.Goal(trajectory=trajectory_to_msg(trajectory))
        handle = self.result(self.arm.send_goal_async(goal))
        assert handle.accepted
        return handle

    def hold(self, duration: float) -> Any:
        """Send a goal that holds the present pose, so that time goes on for `duration` s."""
        q = np.array(self.newest("joint_states").position[:7])
        return self.send(Trajectory(np.array([0.0, duration]), np.vstack([q, q])))

    def grip(self, position: float) -> Any:
        assert self.gripper.wait_for_server(GUARD)
        goal = GripperCommand.Goal()
        goal.command.position = position
        return self.end(self.result(self.gripper.send_goal_async(goal)))

    def end(self, handle: Any) -> Any:
        return self.result(handle.get_result_async()).result

    def newest(self, topic: str) -> Any:
        self.wait(topic)
        with self.news:
            return self.heard[topic][-1]

    def now(self) -> int:
        """Newest time on /clock, ns."""
        return nanoseconds(self.newest("/clock").clock)

    def record(self, since_ns: int | None) -> None:
        """Hold the simulation up like a recorder that needs every joint state; None = no more."""
        self._paced = since_ns is not None
        stamp = self.now() if since_ns is None else since_ns - OBSERVATION
        self.acknowledge(stamp, recording=self._paced)

    def _pace(self, stamp_ns: int) -> None:
        if (stamp_ns + JOINT_STATE) % OBSERVATION == 0:
            self.acknowledge(stamp_ns + JOINT_STATE - OBSERVATION)

    def acknowledge(self, stamp_ns: int, recording: bool = True) -> None:
        header = Header(frame_id="recording" if recording else "")
        header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
        self.ack.publish(header)


def interrupt(bridge: Bridge) -> str:
    """Ctrl-C, which must end it cleanly; returns what it had printed."""
    code, output = bridge.end(signal.SIGINT)
    assert code == 0, output
    assert "Traceback" not in output, output
    return output
