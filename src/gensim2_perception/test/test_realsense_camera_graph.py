"""The camera node as a process of its own: what fusion, recorder and operator rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.camera_calibration import optical_frame
from gensim2_perception.clouds import deproject, transform
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.fusion_messages_node import to_nanoseconds
from gensim2_perception.layouts import colour_image, depth_image, unpack_xyzrgb
from gensim2_perception.static_transforms import StaticTransforms, rigid
from gensim2_perception.table_scene import TABLE_WITH_BOXES
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from realsense_scenes import CALIBRATION, FPS, HEIGHT, POSES, WIDTH, distance_to_scene, record, rms
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

URDF = CALIBRATION.parents[1] / "urdf" / "fr3.urdf"
PROFILE = CALIBRATION.parent / "fastdds_profile.xml"
DOMAIN = 1 + (os.getpid() + 24) % 95
GUARD_S = 60.0
CAMERA = "left_camera"
NODE = "realsense_camera"
TOPICS = {
    "color/image_raw": Image,
    "color/camera_info": CameraInfo,
    "aligned_depth_to_color/image_raw": Image,
}
SIZE = [f"width:={WIDTH}", f"height:={HEIGHT}", f"fps:={FPS}"]
SOFTWARE = ["source:=software", f"calibration:={CALIBRATION}", f"camera:={CAMERA}", *SIZE]


class Reader:
    """Reads what a camera publishes."""

    def __init__(self, camera: str = CAMERA) -> None:
        self.camera = camera
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node("reader", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.messages: dict[str, dict[int, Image | CameraInfo]] = {topic: {} for topic in TOPICS}
        self.points: list[PointCloud2] = []
        self.transforms = StaticTransforms()
        self.hops = 0
        self.status: DiagnosticStatus | None = None
        for topic, kind in TOPICS.items():
            self.node.create_subscription(
                kind,
                f"{camera}/{topic}",
                lambda message, topic=topic: self.messages[topic].__setitem__(
                    to_nanoseconds(message.header.stamp), message
                ),
                10,
            )
        self.node.create_subscription(DiagnosticArray, "diagnostics", self._on_diagnostics, 10)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(TFMessage, "/tf_static", self._on_transforms, latched)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{NODE}: {self.camera}":
                self.status = status

    def _on_transforms(self, message: TFMessage) -> None:
        for stamped in message.transforms:
            self.hops += 1
            p, r = stamped.transform.translation, stamped.transform.rotation
            self.transforms.set(
                stamped.header.frame_id,
                stamped.child_frame_id,
                rigid((p.x, p.y, p.z), (r.x, r.y, r.z, r.w)),
            )

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Handles messages until the condition holds."""
        end = time.monotonic() + GUARD_S
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}; {self.status}"
            self.executor.spin_once(timeout_sec=0.1)

    def whole(self) -> list[int]:
        """Stamps of which every picture has come."""
        return sorted(set.intersection(*(set(got) for got in self.messages.values())))

    def level(self) -> bytes | None:
        return None if self.status is None else self.status.level

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def command(*settings: str) -> list[str]:
    words = [word for setting in settings for word in ("-p", setting)]
    program = f"import sys; from gensim2_perception.programs import {NODE}; sys.exit({NODE}())"
    return [sys.executable, "-c", program, "--ros-args", *words]


@pytest.fixture(autouse=True)
def domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    if "FASTRTPS_DEFAULT_PROFILES_FILE" not in os.environ and PROFILE.is_file():
        monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))


@pytest.fixture
def reader(domain: None) -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(domain: None) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def begin(*settings: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(command(*settings), stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ends a node as an operator does; returns what it has logged."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=GUARD_S)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return errors


def test_the_eyes_contract_is_kept_without_hardware(reader: Reader, start: Start) -> None:
    process = start(*SOFTWARE)
    reader.wait("pictures", lambda: len(reader.whole()) >= 5)
    age_s = (time.time_ns() - reader.whole()[-1]) * 1e-9
    assert 0.0 <= age_s < 5.0, "stamps are in the time of this computer"
    stamp = reader.whole()[-1]
    info, colour, depth = (
        reader.messages[topic][stamp]
        for topic in ("color/camera_info", "color/image_raw", "aligned_depth_to_color/image_raw")
    )
    assert {m.header.frame_id for m in (info, colour, depth)} == {optical_frame(CAMERA)}
    assert (colour.encoding, depth.encoding) == ("rgb8", "16UC1")
    assert {(m.width, m.height) for m in (info, colour, depth)} == {(WIDTH, HEIGHT)}
    assert (info.distortion_model, len(info.d)) == ("plumb_bob", 5)
    np.testing.assert_allclose(np.reshape(info.p, (3, 4))[:, :3], np.reshape(info.k, (3, 3)))

    # What fusion makes of it lies where the boxes are.
    model = PinholeIntrinsics.from_k(info.width, info.height, info.k)
    depth_mm = depth_image(depth.data, HEIGHT, WIDTH, depth.step, depth.encoding, False)
    xyz, pixels = deproject(depth_mm, model)
    assert rms(distance_to_scene(transform(POSES[CAMERA], xyz))) < 0.002
    rgb = colour_image(colour.data, HEIGHT, WIDTH, colour.step, colour.encoding)
    np.testing.assert_array_equal(rgb, TABLE_WITH_BOXES.render(POSES[CAMERA], model)[0])

    # And the transforms say so: no launch file has to.
    reader.wait("transforms", lambda: reader.hops == 2)
    T_base_optical = reader.transforms.lookup("base", optical_frame(CAMERA))
    np.testing.assert_allclose(T_base_optical, POSES[CAMERA], atol=1e-9)

    # Points come once somebody wants them, and are the same as those of the pictures.
    subscription = reader.node.create_subscription(
        PointCloud2, f"{CAMERA}/depth/color/points", reader.points.append, 10
    )
    reader.wait("points", lambda: len(reader.points) >= 2)
    cloud = reader.points[-1]
    assert cloud.header.frame_id == optical_frame(CAMERA)
    p_optical, colours = unpack_xyzrgb(cloud.data, cloud.width, cloud.point_step, cloud.fields)
    np.testing.assert_array_equal(p_optical, xyz)
    np.testing.assert_array_equal(colours, rgb.reshape(-1, 3)[pixels])
    reader.wait(
        "the pictures of the points",
        lambda: to_nanoseconds(cloud.header.stamp) in reader.whole(),
    )
    reader.node.destroy_subscription(subscription)

    reader.wait("health", lambda: reader.level() == DiagnosticStatus.OK)
    assert reader.status is not None
    values = {v.key: v.value for v in reader.status.values}
    assert reader.status.message == "streaming"
    assert values["serial"] == CAMERA and values["time domain"] == "system time"
    assert int(values["frames"]) > 0 and int(values["timeouts"]) == 0
    assert f"{CAMERA}: streaming" in interrupt(process)


def test_a_camera_on_the_arm_waits_for_the_robot(start: Start) -> None:
    with closing(Reader("wrist_camera")) as reader:
        process = start(
            "source:=software", f"calibration:={CALIBRATION}", "camera:=wrist_camera", *SIZE
        )
        reader.wait("error", lambda: reader.level() == DiagnosticStatus.ERROR)
        assert reader.status is not None and "needs robot_description" in reader.status.message
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        publisher = reader.node.create_publisher(String, "robot_description", latched)
        publisher.publish(String(data=URDF.read_text()))
        reader.wait("pictures", lambda: len(reader.whole()) >= 2)
        interrupt(process)


def test_a_recording_plays_to_its_end(reader: Reader, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "left.db3"
    record(path, CAMERA, 45)
    before = time.time_ns()
    process = start("source:=bag", f"bag:={path}", f"camera:={CAMERA}")
    reader.wait("pictures", lambda: len(reader.whole()) >= 3)
    assert reader.whole()[0] > before, "a recording of before is played in the time of now"
    _, errors = process.communicate(timeout=GUARD_S)
    assert process.returncode == 0, errors
    assert f"{CAMERA}: the recording has ended" in errors
    assert "Traceback" not in errors


def test_a_missing_camera_is_waited_for_and_told_once(reader: Reader, start: Start) -> None:
    process = start("serial:=nosuch", f"camera:={CAMERA}")
    reader.wait("error", lambda: reader.level() == DiagnosticStatus.ERROR)
    assert reader.status is not None
    assert "no RealSense device nosuch found" in reader.status.message
    # It goes on reporting, hence trying, whatever the number of attempts.
    seen = reader.status
    reader.wait("another report", lambda: reader.status is not seen)
    assert process.poll() is None
    assert interrupt(process).count("no RealSense device nosuch found") == 1
    assert not reader.whole()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (["witdh:=640"], "did you mean width"),
        (["source:=usb"], "device, bag, software"),
        (["source:=bag", "bag:=nosuch.db3"], "parameter bag: there is no file 'nosuch.db3'"),
        (["source:=software"], "parameter calibration"),
        (["source:=software", "scene:=nosuch"], "no such folder or file"),
        (["calibration:=nosuch.yaml"], "calibration nosuch.yaml"),
        (["camera:=top_camera", f"calibration:={CALIBRATION}"], "there are: wrist_camera"),
        (["decimation:=1"], "2 to 8"),
        (["depth_min:=2.0", "depth_max:=1.0"], "depth range is empty"),
    ],
)
def test_a_wrong_parameter_ends_the_node_and_is_named(settings: list[str], text: str) -> None:
    done = subprocess.run(command(*settings), capture_output=True, text=True, timeout=GUARD_S)
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_library_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A finder that knows no such module, as in an environment without the wheel.
    hide = (
        "import importlib.util, sys; found = importlib.util.find_spec; "
        "importlib.util.find_spec = "
        "lambda name, *rest: None if name == 'pyrealsense2' else found(name, *rest); "
    )
    words = command()
    words[2] = hide + words[2]
    done = subprocess.run(words, capture_output=True, text=True, timeout=GUARD_S)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: realsense_camera needs the Python module pyrealsense2: "
        "start with ./ws --with real, or install it with: pip install pyrealsense2"
    ]
