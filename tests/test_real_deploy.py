"""The graph of the real robot, with fake hardware that speaks its protocols plugged in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "src" / "gensim2_control" / "test"))

from launch_process import LaunchProcess, ros2

pytest.importorskip("rclpy", reason="needs the workspace: run the tests with ./ws")

from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import draw_scene
from geometry_msgs.msg import PointStamped
from mock_process import GUARD, LATCHED, ROOT, Client, joined
from rcl_interfaces.srv import GetParameters

from gensim2_msgs.msg import SceneState

DOMAINS = iter(1 + (os.getpid() + 55 + i) % 95 for i in range(8))
ADDRESSES = iter(f"127.{2 + os.getpid() % 250}.254.{i}" for i in range(1, 20))
SEED = 3


@pytest.fixture
def domain() -> Iterator[int]:
    """A domain of its own, in which this process is, too."""
    with joined(next(DOMAINS)) as number:
        yield number


def deploy(folder: Path, domain: int, *arguments: str) -> LaunchProcess:
    """Launches the main file of the real robot."""
    words = ("gensim2", "real_deploy.launch.py", "task:=OpenDrawer", "obs:=state")
    return LaunchProcess(folder, domain, *words, f"robot_ip:={next(ADDRESSES)}", *arguments)


def parameters(client: Client, *names: str) -> list[float]:
    """Numbers that the driver has been started with."""
    service = client.node.create_client(GetParameters, "franka_driver/get_parameters")
    assert service.wait_for_service(GUARD)
    values = client.result(service.call_async(GetParameters.Request(names=names))).values
    return [value.double_value for value in values]


def test_a_drawer_is_pulled_through_the_protocol_of_the_robot(tmp_path: Path, domain: int) -> None:
    """Planned from a scene, followed within 0.02 rad, the fingers where they should be."""
    client = Client(domain)
    launch = deploy(tmp_path, domain, "use_fake_hardware:=true", f"seed:={SEED}")
    try:
        assert launch.end() == 0, launch.output
        with client.news:
            arm = list(client.heard["fr3_arm_controller/controller_state"])
            hand = list(client.heard["fr3_gripper/controller_state"])
    finally:
        launch.kill()
        client.close()
    assert re.search(r"OpenDrawer performed in", launch.output), launch.output
    assert "Traceback" not in launch.output, launch.output
    error = max(np.abs(state.error.positions).max() for state in arm)
    moved = np.ptp([state.feedback.positions for state in arm], axis=0).max()
    print(f"largest tracking error {error:.4f} rad over {moved:.2f} rad")
    assert moved > 0.3 and error <= 0.02
    # Nothing is between the fingers: at the end of every command they are where they were sent.
    wanted = np.array([state.reference.positions[0] for state in hand])
    last = [i for i in range(len(wanted) - 1) if wanted[i] != wanted[i + 1]] + [len(wanted) - 1]
    off = [abs(hand[i].feedback.positions[0] - wanted[i]) for i in last if i > 0]
    assert max(off) <= 1e-3, "2 mm of width"


def test_nothing_moves_before_an_operator_has_confirmed(tmp_path: Path, domain: int) -> None:
    """Neither a goal nor homing; what is refused says what to do. Limits are those of the file."""
    usual = (ROOT / "launch" / "config" / "franka_driver.yaml").read_text()
    file = tmp_path / "driver.yaml"
    file.write_text(usual.replace("velocity_scale: 0.5", "velocity_scale: 0.4"))
    client = Client(domain)
    arguments = ("use_fake_hardware:=true", "confirm:=true", f"driver_parameters:={file}")
    launch = deploy(tmp_path, domain, *arguments)
    try:
        launch.until(r"robot/confirm")
        launch.until(r"waiting for the robot")
        before = client.q()
        assert not client.wait("robot_status", lambda m: True).motion_possible
        refused = client.call("robot/home")
        assert not refused.success and "robot/confirm" in refused.message
        assert parameters(client, "velocity_scale", "acceleration_scale") == [0.4, 0.5]
        np.testing.assert_allclose(client.q(), before, atol=1e-3)
        assert client.call("robot/confirm").success
        assert launch.end() == 0, launch.output
    finally:
        launch.kill()
        client.close()


def test_clicks_on_keypoints_make_the_scene(tmp_path: Path, domain: int) -> None:
    """They are stored, so that the next launch needs none."""
    labels = tmp_path / "drawer.yaml"
    task = load_task("OpenDrawer")
    (truth,) = draw_scene(
        task, AssetLibrary(), np.random.default_rng(SEED), randomize=True, asset="17"
    )
    (shown,) = draw_scene(
        task, AssetLibrary(), np.random.default_rng(SEED), randomize=False, asset="17"
    )
    points = truth.asset.keypoints(shown.joint_position)
    scenes: list[SceneState] = []
    client = Client(domain)
    client.node.create_subscription(SceneState, "scene/state", scenes.append, LATCHED)
    clicks = client.node.create_publisher(PointStamped, "clicked_point", 10)
    arguments = ("use_fake_hardware:=true", "asset:=17", f"seed:={SEED}", f"scene_file:={labels}")
    launch = deploy(tmp_path, domain, *arguments)
    try:
        for name, p in points.items():
            launch.until(rf"click on its {name}|{name} is at")
            click = PointStamped()
            click.header.frame_id = "base"
            p_base = truth.T_base_root[:3, :3] @ p + truth.T_base_root[:3, 3]
            click.point.x, click.point.y, click.point.z = (float(v) for v in p_base)
            clicks.publish(click)
            launch.until(rf"{name} is at")
        launch.until(r"labelled: ")
        assert labels.exists()
        assert launch.end() == 0, launch.output
    finally:
        launch.kill()
        client.close()
    pose = scenes[-1].objects[0].pose.position
    np.testing.assert_allclose([pose.x, pose.y], truth.T_base_root[:2, 3], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("use_fake_hardware:=false",), "needs the address of a robot"),
        (("use_fake_hardware:=true", "robot_ip:=10.0.0.1"), "not an address of this machine"),
        (("robot_op:=10.0.0.1",), "did you mean 'robot_ip'"),
        (("confirm:=maybe",), "confirm"),
        (("driver_parameters:=nosuch.yaml",), "driver_parameters:=nosuch.yaml is no file"),
    ],
)
def test_contradictions_are_refused_at_once(arguments: tuple[str, ...], text: str) -> None:
    """Before a process starts, and with the way out."""
    words = [ros2(), "launch", "gensim2", "real_deploy.launch.py", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert text in output
    assert "process started" not in output
