"""Recording a calibration over topics, with a real process: what an operator relies on."""

from __future__ import annotations

import contextlib
import os
import pty
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
from board_scenes import CAMERA, CHARUCO, BoardScene
from cloud_scenes import LEFT, cloud
from gensim2_control.camera_calibration import CameraCalibration
from gensim2_control.hardware import ARM_JOINTS
from gensim2_perception.calibration_file import put_camera
from gensim2_perception.calibration_report import Arrangement
from gensim2_perception.calibration_session import CalibrationSession
from gensim2_perception.calibration_solver import solve_calibration
from gensim2_perception.cloud_file import load_cloud
from gensim2_perception.fusion_messages_node import to_time
from gensim2_perception.hand_eye import pose_difference
from gensim2_perception.layouts import XYZRGB_FIELDS, pack_xyzrgb
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image, JointState, PointCloud2, PointField
from std_msgs.msg import String
from std_srvs.srv import Trigger

REPOSITORY = Path(__file__).parents[3]
PROFILE = REPOSITORY / "launch" / "config" / "fastdds_profile.xml"
GUARD_S = 60.0
SECOND = 1_000_000_000
VIEWS = 9


class Cell:
    """Plays body, camera, robot state publisher and operator."""

    def __init__(self, domain: int, scene: BoardScene) -> None:
        self.scene = scene
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("cell", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        colour = "left_camera/color"
        self.images = self.node.create_publisher(Image, f"{colour}/image_raw", 5)
        self.infos = self.node.create_publisher(CameraInfo, f"{colour}/camera_info", 5)
        self.joints = self.node.create_publisher(JointState, "joint_states", 100)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.description = self.node.create_publisher(String, "robot_description", latched)
        self.capturing = self.node.create_client(Trigger, "calibrate/capture")

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + GUARD_S
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}"
            self.executor.spin_once(timeout_sec=0.1)

    def connect(self) -> None:
        publishers = (self.images, self.infos, self.joints, self.description)
        self.wait(
            "the node",
            lambda: (
                self.capturing.service_is_ready()
                and all(p.get_subscription_count() > 0 for p in publishers)
            ),
        )

    def capture(self) -> tuple[bool, str]:
        future = self.capturing.call_async(Trigger.Request())
        self.wait("the answer", future.done)
        return future.result().success, future.result().message

    def capture_until(self, told: Callable[[bool, str], bool]) -> str:
        """Asks until what was published before has arrived, which the answers tell."""
        end = time.monotonic() + GUARD_S
        while not told(*(answer := self.capture())):
            assert time.monotonic() < end, answer
        return answer[1]

    def publish_joints(self, t: float, q: NDArray[np.float64]) -> None:
        message = JointState(name=["other", *ARM_JOINTS[::-1]], position=[9.0, *q[::-1].tolist()])
        message.header.stamp = to_time(round(t * SECOND))
        self.joints.publish(message)

    def rest(self, t: float, q: NDArray[np.float64]) -> None:
        """Half a second at rest, around t."""
        for moment in np.arange(-0.4, 0.11, 0.05):
            self.publish_joints(t + moment, q)

    def publish_image(self, t: float, rgb: NDArray[np.uint8]) -> None:
        k = [CAMERA.fx, 0.0, CAMERA.cx, 0.0, CAMERA.fy, CAMERA.cy, 0.0, 0.0, 1.0]
        info = CameraInfo(width=CAMERA.width, height=CAMERA.height, distortion_model="plumb_bob")
        info.k, info.d = k, [0.0] * 5
        image = Image(height=rgb.shape[0], width=rgb.shape[1], encoding="rgb8")
        image.step = 3 * rgb.shape[1]
        image.data = array("B", rgb.tobytes())
        for message in (info, image):
            message.header.stamp = to_time(round(t * SECOND))
        self.infos.publish(info)
        self.images.publish(image)

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def test_a_cloud_is_stored_in_base_for_the_refinement(tmp_path: Path) -> None:
    """What `refine` compares is where the present calibration puts the points."""
    domain = 1 + (os.getpid() + 30) % 95
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    calibration, out = tmp_path / "cameras.yaml", tmp_path / "left.npy"
    put_camera(calibration, "left_camera", CameraCalibration.from_matrix("base", LEFT))
    p_base = cloud(LEFT, np.random.default_rng(0))[::50]
    p_cam = (p_base - LEFT[:3, 3]) @ LEFT[:3, :3]
    p_cam = np.vstack([p_cam, [[np.nan] * 3], np.zeros((1, 3))]).astype(np.float32)
    message = PointCloud2(height=1, width=len(p_cam), point_step=16, row_step=16 * len(p_cam))
    message.fields = [PointField(**vars(field)) for field in XYZRGB_FIELDS]
    message.data = array("B", pack_xyzrgb(p_cam, np.zeros(p_cam.shape, np.uint8)))
    program = "import sys; from gensim2_perception.programs import calibrate; sys.exit(calibrate())"
    words = ["cloud", str(out), "--camera", "left_camera", "--calibration", str(calibration)]
    start = [sys.executable, "-c", program, *words]
    process = subprocess.Popen(
        start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("camera", context=context)
    try:
        publisher = node.create_publisher(PointCloud2, "left_camera/depth/color/points", 1)
        end = time.monotonic() + GUARD_S
        while process.poll() is None and time.monotonic() < end:
            publisher.publish(message)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        output, errors = process.communicate(timeout=GUARD_S)
    finally:
        process.kill()
        node.destroy_node()
        rclpy.shutdown(context=context)
    assert process.returncode == 0, errors
    assert f"{len(p_base)} points in base stored" in output
    np.testing.assert_allclose(load_cloud(out), p_base, atol=1e-6)

    out.unlink()
    silent = subprocess.run(
        [*start, "--timeout", "0.5"], env=environment, capture_output=True, text=True
    )
    assert silent.returncode == 1
    assert silent.stderr.startswith("error: no cloud on left_camera/depth/color/points within 0.5")
    assert not out.exists()


def command(folder: Path, *settings: str) -> list[str]:
    program = "import sys; from gensim2_perception.programs import calibrate; sys.exit(calibrate())"
    words = ["record", str(folder), "--camera", "left_camera", "--arrangement", "eye_to_hand"]
    return [sys.executable, "-c", program, *words, *settings]


@pytest.fixture
def graph(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Cell, subprocess.Popen[str], Path]]:
    domain = 1 + (os.getpid() + 28) % 95
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if "FASTRTPS_DEFAULT_PROFILES_FILE" not in os.environ and PROFILE.is_file():
        monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))
    folder = tmp_path / "session"
    process = subprocess.Popen(
        command(folder), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    cell = Cell(domain, BoardScene(Arrangement.EYE_TO_HAND, CHARUCO, seed=11))
    try:
        yield cell, process, folder
    finally:
        cell.close()
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_views_are_recorded_and_give_the_camera(
    graph: tuple[Cell, subprocess.Popen[str], Path],
) -> None:
    """Views that would spoil the result are refused; the others are solved to a millimetre."""
    cell, process, folder = graph
    cell.connect()
    success, text = cell.capture()
    assert not success
    assert "left_camera/color/camera_info" in text and "robot_description" in text
    cell.description.publish(String(data=cell.scene.urdf))
    configurations = cell.scene.configurations(VIEWS)

    # The arm is still on its way.
    first = configurations[0]
    picture = cell.scene.render(cell.scene.T_cam_board(first))
    for moment in np.arange(0.6, 1.11, 0.05):
        cell.publish_joints(float(moment), first + 0.05 * (moment - 1.0))
    cell.publish_image(1.0, picture)
    cell.capture_until(lambda success, text: "the arm moves" in text)
    # The board is not there.
    cell.rest(2.0, first)
    cell.publish_image(2.0, np.full_like(picture, 100))
    cell.capture_until(lambda success, text: "the board is not in the picture" in text)
    assert not folder.exists(), "nothing is recorded of what is refused"

    for i, q in enumerate(configurations):
        t = 10.0 + 10.0 * i
        # A picture whose joints have not arrived yet does not stand in the way.
        cell.publish_image(t, cell.scene.render(cell.scene.T_cam_board(q)))
        cell.rest(t, q)
        text = cell.capture_until(
            lambda success, text, i=i: success and text.startswith(f"view_{i:03d}")
        )
    assert f"{VIEWS} views, enough to solve" in text
    assert "recorded already" in cell.capture()[1], "twice the same picture is one view"

    # The camera stops sending while the arm goes on.
    cell.rest(300.0, first)
    cell.capture_until(lambda success, text: "does the camera still send" in text)

    session = CalibrationSession.open(folder)
    assert [view.stamp_ns for view in session.record.views] == [
        (10 + 10 * i) * SECOND for i in range(VIEWS)
    ]
    for view, q in zip(session.record.views, configurations, strict=True):
        np.testing.assert_allclose(view.q, q, atol=1e-12)
    report = solve_calibration(
        session.detect(), session.record.intrinsics, Arrangement.EYE_TO_HAND, cell.scene.rng
    )
    distance, angle = pose_difference(report.T_parent_cam, cell.scene.T_parent_cam)
    assert distance <= 1e-3 and np.degrees(angle) <= 0.1

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=GUARD_S)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_enter_records_and_q_ends(tmp_path: Path) -> None:
    """In a terminal no second one is needed to call a service."""
    terminal, end = pty.openpty()
    # A folder whose name looks like a number is one all the same.
    process = subprocess.Popen(
        command(tmp_path / "7"),
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 29) % 95)},
    )
    try:
        os.write(terminal, b"\nq\n")
        output, _ = process.communicate(timeout=GUARD_S)
    finally:
        process.kill()
        os.close(terminal)
        os.close(end)
    assert process.returncode == 0, output
    assert "Enter records a view" in output
    assert output.count("not recorded: nothing received yet on: left_camera/color/camera_info") == 1
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (("--ros-args", "-p", "bord_rows:=5"), "unknown parameter bord_rows"),
        (("--marker", "0.05"), "marker of 50 mm in a square of 40 mm"),
        (("--marekr", "0.02"), "unknown argument '--marekr'"),
    ],
)
def test_wrong_settings_end_the_recording_and_are_named(
    tmp_path: Path, settings: tuple[str, ...], text: str
) -> None:
    done = subprocess.run(
        command(tmp_path, *settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**os.environ, "ROS_DOMAIN_ID": str(1 + (os.getpid() + 29) % 95)},
    )
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr
