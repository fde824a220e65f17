"""The fusion node as a process of its own: what a recorder and an operator rely on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_perception.fusion_messages_node import to_nanoseconds, to_time
from gensim2_perception.layouts import unpack_xyzrgb
from geometry_msgs.msg import TransformStamped
from perception_scenes import BOX_RGB, CAMERAS, INTRINSICS, distance_to_box, ray_cast
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

REPOSITORY = Path(__file__).parents[3]
URDF = REPOSITORY / "launch" / "urdf" / "fr3.urdf"
PROFILE = REPOSITORY / "launch" / "config" / "fastdds_profile.xml"
GUARD_S = 60.0
TICK = 100_000_000
POINTS = 256
HOME = np.array([0.0, -0.32, 0.0, -2.618, 0.0, 2.23, 0.7854])
# Beside the hand, looking along it.
T_HAND_OPTICAL = np.eye(4)
T_HAND_OPTICAL[:3, 3] = (0.06, 0.0, 0.02)


class Body:
    """Plays simulator, robot state publisher and reader of the clouds."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("body", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.kinematics = Fr3Kinematics.from_urdf(URDF.read_text())
        self.clouds: list[PointCloud2] = []
        self.statuses: dict[str, DiagnosticStatus] = {}
        self.random = random.Random(0)
        kinds = {
            "color/camera_info": CameraInfo,
            "color/image_raw": Image,
            "aligned_depth_to_color/image_raw": Image,
        }
        self.publishers = {
            f"{camera}/{topic}": self.node.create_publisher(kind, f"{camera}/{topic}", 5)
            for camera in CAMERAS
            for topic, kind in kinds.items()
        }
        self.publishers["joint_states"] = self.node.create_publisher(JointState, "joint_states", 10)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for topic, kind in (("/tf_static", TFMessage), ("robot_description", String)):
            self.publishers[topic] = self.node.create_publisher(kind, topic, latched)
        self.node.create_subscription(PointCloud2, "points", self.clouds.append, 50)
        self.node.create_subscription(DiagnosticArray, "diagnostics", self._on_diagnostics, 10)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.statuses.update(
            {s.name.removeprefix("pointcloud_fusion: "): s for s in message.status}
        )

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Handles messages until the condition holds."""
        end = time.monotonic() + GUARD_S
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}; {self.statuses}"
            self.executor.spin_once(timeout_sec=0.1)

    def connect(self) -> None:
        self.wait(
            "the node to subscribe",
            lambda: (
                all(p.get_subscription_count() > 0 for p in self.publishers.values())
                and self.node.count_publishers("points") > 0
                and self.node.count_publishers("diagnostics") > 0
            ),
        )

    def describe(self) -> None:
        """Robot description, and calibration as two static hops per camera."""
        self.publishers["robot_description"].publish(String(data=URDF.read_text()))
        transforms = []
        for camera, T_base_optical in CAMERAS.items():
            wrist = camera == "wrist_camera"
            T = T_HAND_OPTICAL if wrist else T_base_optical
            link = TransformStamped(child_frame_id=f"{camera}_link")
            link.header.frame_id = "fr3_hand" if wrist else "base"
            p = link.transform.translation
            p.x, p.y, p.z = T[:3, 3].tolist()
            optical = TransformStamped(child_frame_id=f"{camera}_color_optical_frame")
            optical.header.frame_id = link.child_frame_id
            r = optical.transform.rotation
            r.x, r.y, r.z, r.w = Rotation.from_matrix(T[:3, :3]).as_quat().tolist()
            transforms += [link, optical]
        self.publishers["/tf_static"].publish(TFMessage(transforms=transforms))

    def observe(self, tick: int, absent: tuple[str, ...] = ()) -> None:
        """One observation: all images in any order, then the joint state of the same stamp."""
        q = HOME + 0.02 * tick * np.array([1, 1, -1, 1, 0, 1, -1])
        stamp = to_time(tick * TICK)
        outgoing = []
        for camera, T_base_optical in CAMERAS.items():
            if camera in absent:
                continue
            if camera == "wrist_camera":
                T_base_optical = self.kinematics.fk(q, "fr3_hand") @ T_HAND_OPTICAL
            depth, rgb = ray_cast(T_base_optical)
            frame = f"{camera}_color_optical_frame"
            K = INTRINSICS
            info = CameraInfo(width=K.width, height=K.height)
            info.k = [K.fx, 0.0, K.cx, 0.0, K.fy, K.cy, 0.0, 0.0, 1.0]
            images = {
                "color/camera_info": info,
                "color/image_raw": image(rgb, "rgb8"),
                "aligned_depth_to_color/image_raw": image(depth, "16UC1"),
            }
            for topic, message in images.items():
                message.header.frame_id = frame
                message.header.stamp = stamp
                outgoing.append((f"{camera}/{topic}", message))
        self.random.shuffle(outgoing)
        for topic, message in outgoing:
            self.publishers[topic].publish(message)
        joints = JointState(name=list(ARM_JOINTS), position=q.tolist())
        joints.header.stamp = stamp
        self.publishers["joint_states"].publish(joints)

    def stamps(self) -> list[float]:
        return [to_nanoseconds(cloud.header.stamp) / TICK for cloud in self.clouds]

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def image(pixels: np.ndarray, encoding: str) -> Image:
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding=encoding)
    message.data = array("B", pixels.tobytes())
    message.step = len(message.data) // height
    return message


def command(*settings: str) -> list[str]:
    words = [word for setting in settings for word in ("-p", setting)]
    name = "pointcloud_fusion"
    program = f"import sys; from gensim2_perception.programs import {name}; sys.exit({name}())"
    return [sys.executable, "-c", program, "--ros-args", *words]


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Body, subprocess.Popen[str]]]:
    domain = 1 + (os.getpid() + 18) % 95
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if "FASTRTPS_DEFAULT_PROFILES_FILE" not in os.environ and PROFILE.is_file():
        monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))
    settings = [f"num_points:={POINTS}", "camera_deadline:=1.0", "use_sim_time:=true"]
    # Everything is told from the start on: what is missing, and then that it is there.
    settings.append("start_grace:=0.0")
    process = subprocess.Popen(command(*settings), stderr=subprocess.PIPE, text=True)
    body = Body(domain)
    try:
        yield body, process
    finally:
        body.close()
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_every_observation_becomes_one_cloud_and_a_dead_camera_is_survived(
    graph: tuple[Body, subprocess.Popen[str]],
) -> None:
    body, process = graph
    body.connect()
    body.describe()

    # A simulator faster than the fusion: bursts, not a request and an answer.
    expected: list[float] = []
    for burst in range(4):
        for tick in range(3 * burst + 1, 3 * burst + 4):
            body.observe(tick)
            expected.append(tick)
        body.wait("all clouds", lambda: len(body.clouds) >= len(expected))
    assert body.stamps() == expected, "a lost or reordered cloud spoils the episode"
    for cloud in body.clouds:
        assert cloud.header.frame_id == "base"
        assert (cloud.width, cloud.height) == (POINTS, 1)
        xyz, rgb = unpack_xyzrgb(cloud.data, cloud.width, cloud.point_step, cloud.fields)
        # The arm moved from tick to tick, so a joint state of another instant shows here.
        assert distance_to_box(xyz).max() < 0.002
        assert (rgb == BOX_RGB).all()
    body.wait("complete", lambda: body.statuses["clouds"].message == "complete")
    assert {s.level for s in body.statuses.values()} == {DiagnosticStatus.OK}

    # The right camera dies: clouds go on without it, and it is said.
    for tick in (13, 14):
        body.observe(tick, absent=("right_camera",))
        expected.append(tick)
        body.wait("partial cloud", lambda: len(body.clouds) >= len(expected))
    # The camera is known to be silent before the first cloud without it is done.
    partial = "partial, without right_camera"
    body.wait("report of it", lambda: body.statuses["clouds"].message == partial)
    assert body.statuses["right_camera"].level == DiagnosticStatus.ERROR
    values = {v.key: v.value for v in body.statuses["clouds"].values}
    assert values["missing"] == "right_camera"
    assert float(values["spread [s]"]) == 0.0

    # Its late frames come with it when it returns; nothing old is published.
    body.observe(14)
    body.observe(15)
    expected.append(15)
    body.wait("whole cloud", lambda: len(body.clouds) >= len(expected))
    body.wait("recovery", lambda: body.statuses["right_camera"].level == DiagnosticStatus.OK)
    assert body.stamps() == expected

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=GUARD_S)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    told = [line.partition("]: ")[2] for line in errors.splitlines() if "clouds: " in line]
    assert told[0].startswith("clouds: no cloud yet")
    assert {"clouds: complete", "clouds: partial, without right_camera"} <= set(told)


@pytest.mark.parametrize(
    ("setting", "text"),
    [("num_point:=5", "num_points"), ("crop_max:=[0.1, 0.6, 0.9]", "crop box is empty")],
)
def test_a_wrong_parameter_ends_the_node_and_is_named(setting: str, text: str) -> None:
    """A misspelt parameter that is ignored costs a day of recording with the wrong crop."""
    done = subprocess.run(
        command(setting),
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 18) % 95)},
    )
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr
