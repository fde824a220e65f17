"""A graph for the page: the node as a process, and everything it looks at in this one."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from action_msgs.msg import GoalStatus, GoalStatusArray
from diagnostic_msgs.msg import DiagnosticArray
from gensim2_control.ros.spin import spin
from geometry_msgs.msg import Point, PoseArray
from nav_msgs.msg import Path as PathMessage
from rclpy.action import ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import MultiThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, JointState, PointCloud2, PointField
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker, MarkerArray

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import EpisodeSummary, RobotStatus, SceneState
from gensim2_msgs.srv import ResetScene

PROGRAM = "import sys; from gensim2_view.programs import web_view; sys.exit(web_view())"
GUARD = 60.0  # s; only ends a test that hangs
ROOT = Path(__file__).resolve().parents[3]
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
HISTORY = QoSProfile(depth=200, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def graph_environment(domain: int) -> dict[str, str]:
    """Environment of the processes of one graph."""
    return {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(ROOT / "launch" / "config" / "fastdds_profile.xml"),
    }


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ViewProcess:
    """The node web_view as a process; `lines` is what it has printed so far."""

    def __init__(self, environment: dict[str, str], port: int, *parameters: str) -> None:
        words = [word for given in (f"port:={port}", *parameters) for word in ("-p", given)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "--ros-args", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._news: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Wait until the page can be opened."""
        while "open http://" not in self._news.get(timeout=GUARD):
            pass

    def end(self, number: int) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(GUARD)
        self._thread.join(GUARD)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._news.put(line)


class Surroundings:
    """The graph around the page."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = node = rclpy.create_node("surroundings", context=self.context)
        group = ReentrantCallbackGroup()
        self.publishers = {
            topic: node.create_publisher(kind, topic, qos)
            for topic, kind, qos in (
                ("joint_states", JointState, 10),
                ("points", PointCloud2, 10),
                ("left_camera/color/image_raw", Image, 10),
                ("robot_status", RobotStatus, LATCHED),
                ("scene/state", SceneState, LATCHED),
                ("kpam_planner/path", PathMessage, LATCHED),
                ("kpam_planner/key_poses", PoseArray, LATCHED),
                ("kpam_planner/markers", MarkerArray, LATCHED),
                ("episode_manager/episodes", EpisodeSummary, HISTORY),
                ("diagnostics", DiagnosticArray, 10),
                ("collect/_action/status", GoalStatusArray, LATCHED),
            )
        }
        self.calls: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.may_reset = threading.Event()
        self.may_end = threading.Event()
        for name in ("stop", "recover", "home"):
            node.create_service(
                Trigger, f"robot/{name}", self._trigger(f"robot/{name}"), callback_group=group
            )
        node.create_service(ResetScene, "scene/reset", self._on_reset, callback_group=group)
        ActionServer(
            node, ExecuteTask, "kpam_expert/execute_task", self._on_execute, callback_group=group
        )
        self._executor = MultiThreadedExecutor(4, context=self.context)
        self._executor.add_node(node)
        self._thread = threading.Thread(target=spin, args=(self._executor,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.may_reset.set()
        self.may_end.set()
        self._executor.shutdown(GUARD)
        self._thread.join(GUARD)
        rclpy.shutdown(context=self.context)

    def publish(self, topic: str, message: Any) -> None:
        """Publish once somebody listens."""
        publisher = self.publishers[topic]
        deadline = threading.Event()
        for _ in range(int(GUARD / 0.02)):
            if publisher.get_subscription_count():
                break
            deadline.wait(0.02)
        assert publisher.get_subscription_count(), f"nobody listens to {topic}"
        publisher.publish(message)

    @contextlib.contextmanager
    def streaming(self, topic: str, message: Any) -> Iterator[None]:
        """Publish again and again, as sensors do: a reader that has just come hears the next."""
        ended = threading.Event()

        def stream() -> None:
            while not ended.wait(0.05):
                self.publishers[topic].publish(message)

        thread = threading.Thread(target=stream)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def collect(self, running: bool) -> None:
        """Say what an episode manager says that collects, or has ended to."""
        status = GoalStatus.STATUS_EXECUTING if running else GoalStatus.STATUS_SUCCEEDED
        message = GoalStatusArray(status_list=[GoalStatus(status=status)])
        self.publish("collect/_action/status", message)

    def called(self, name: str) -> Any:
        """Wait for the next call; it must be this one. Return its request."""
        got, request = self.calls.get(timeout=GUARD)
        assert got == name
        return request

    def _trigger(self, name: str) -> Any:
        def answer(request: Any, response: Trigger.Response) -> Trigger.Response:
            self.calls.put((name, request))
            response.success, response.message = True, f"{name} answered"
            return response

        return answer

    def _on_reset(self, request: Any, response: ResetScene.Response) -> ResetScene.Response:
        self.calls.put(("scene/reset", request))
        assert self.may_reset.wait(GUARD)
        response.success = False
        response.error_code, response.error_msg = ResetScene.Response.ROBOT_BUSY, "robot is busy"
        return response

    def _on_execute(self, handle: Any) -> ExecuteTask.Result:
        self.calls.put(("execute_task", handle.request))
        handle.publish_feedback(ExecuteTask.Feedback(stage="approach", progress=0.5))
        assert self.may_end.wait(GUARD)
        handle.succeed()
        return ExecuteTask.Result(execution_time=4.2, plan_time=0.05)


def cloud_message(xyz: np.ndarray, rgb: np.ndarray) -> PointCloud2:
    """A cloud as pointcloud_fusion makes it: x, y, z and packed rgb."""
    table = np.zeros((len(xyz), 4), dtype="<f4")
    table[:, :3] = xyz
    words = (rgb[:, 0].astype("<u4") << 16) | (rgb[:, 1].astype("<u4") << 8) | rgb[:, 2]
    table[:, 3] = words.astype("<u4").view("<f4")
    message = PointCloud2(height=1, width=len(xyz), point_step=16, row_step=16 * len(xyz))
    message.header.frame_id = "base"
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(("x", "y", "z", "rgb"))
    ]
    message.data = array("B", table.tobytes())
    return message


def marker(kind: int, *points: tuple[float, float, float], **fields: Any) -> Marker:
    """A marker in base."""
    message = Marker(type=kind, **fields)
    message.header.frame_id = "base"
    message.color.a, message.color.r = 1.0, 1.0
    message.scale.x, message.scale.y, message.scale.z = 0.02, 0.02, 0.02
    message.points = [Point(x=x, y=y, z=z) for x, y, z in points]
    return message
