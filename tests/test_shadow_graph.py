"""The digital shadow on a graph: a simulation plays the real robot, and a label may be wrong.

Everything is launched as with `shadow:=true`, but that the shadow is told of the scene by this
test, as it would be by a person who labels it.
"""

from __future__ import annotations

import copy
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "src" / "gensim2_sim_bridge" / "test"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.ros.safe_action_client import SafeActionClient
from launch_process import LaunchProcess
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from sim_process import GUARD, LATCHED, Client
from std_msgs.msg import String

from gensim2_msgs.action import ExecuteTask
from gensim2_msgs.msg import SceneState

DOMAIN = 1 + (os.getpid() + 60) % 95
SEED = 3
WRONG = 0.05  # m
PREVIEW = 4.0  # s
OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
SHADOWS = ("shadow", "shadow_fusion", "cloud_overlay")
LOUD = re.compile(r"/(shadow|cloud_overlay)/.*|/diagnostics|/rosout|/parameter_events")
GRAPH = f"""
from gensim2_launch.ros.description import include
from launch import LaunchDescription
from launch.actions import GroupAction
from launch_ros.actions import SetRemap


def generate_launch_description():
    shadow = include(
        "shadow.launch.py", shadow="true", use_sim_time="true", camera_fovy="1.012"
    )
    core = {{"obs": "pointcloud", "use_sim_time": "true", "preview_time": "{PREVIEW}"}}
    return LaunchDescription([
        include("robot_sim.launch.py", obs="pointcloud"),
        include("core.launch.py", **core),
        GroupAction([SetRemap("scene/state", "labelled/state"), shadow]),
    ])
"""


@dataclass
class Rehearsal:
    """The graph, and who listens to it."""

    launch: LaunchProcess
    client: Client
    labels: Any

    def label(self, truth: SceneState, dx: float) -> None:
        """Tells the shadow of the scene, off by dx m."""
        message = copy.deepcopy(truth)
        message.objects[0].pose.position.x += dx
        self.labels.publish(message)

    def residual(self, level: bytes) -> dict[str, str]:
        """Lets time pass until the comparison is judged so; returns its figures."""
        for _ in range(20):
            start = len(self.client.heard["cloud_overlay/points"])
            # Observations are only made while the robot has something to do.
            while len(self.client.heard["cloud_overlay/points"]) == start:
                self.client.grip(0.04)
                self.client.grip(0.035)
            told = self.client.collect("judgement", 1)[-1]
            if told.level == level and "nothing" not in told.message:
                return {entry.key: entry.value for entry in told.values}
        raise AssertionError(f"never {level!r}: {told.message} {told.values}")


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Robot, core and shadow."""
    folder = tmp_path_factory.mktemp("shadow")
    (folder / "graph.launch.py").write_text(GRAPH)
    launch = LaunchProcess(folder, DOMAIN, str(folder / "graph.launch.py"))
    client = Client(DOMAIN)
    try:
        client.subscribe("points", PointCloud2, QoSProfile(depth=10))
        client.subscribe("cloud_overlay/points", PointCloud2, QoSProfile(depth=10))
        client.subscribe("shadow/image", Image, QoSProfile(depth=10))
        client.subscribe("shadow/mode", String, LATCHED)
        client.heard["judgement"] = []

        def hear(message: DiagnosticArray) -> None:
            found = [s for s in message.status if s.name == "cloud_overlay: residual"]
            with client.news:
                client.heard["judgement"] += found
                client.news.notify_all()

        client.node.create_subscription(DiagnosticArray, "diagnostics", hear, 10)
        labels = client.node.create_publisher(SceneState, "labelled/state", LATCHED)
        for name in ("shadow", "cloud_overlay", "kpam_expert"):
            launch.until(rf"\[{name}-\d+\].*ready")
        client.newest("joint_states")
        yield Rehearsal(launch, client, labels)
    finally:
        launch.kill()
        client.close()


@pytest.fixture(scope="module")
def truth(rehearsal: Rehearsal) -> SceneState:
    """The scene as it is, which the shadow is told."""
    response = rehearsal.client.reset("OpenDrawer", seed=SEED)
    assert response.success, response.error_msg
    rehearsal.label(response.state, 0.0)
    return response.state


def test_what_is_seen_is_what_should_be_seen(rehearsal: Rehearsal, truth: SceneState) -> None:
    """Real and shadow pictures go through the same fusion and are laid over each other."""
    figures = rehearsal.residual(OK)
    print(f"agreeing: {figures}")
    assert float(figures["seen: p95 [mm]"]) < 5.0
    assert float(figures["seen: share beyond the tolerance"]) < 0.005
    assert float(figures["expected: share beyond the tolerance"]) < 0.005


def test_a_label_that_is_five_centimetres_off_warns(
    rehearsal: Rehearsal, truth: SceneState
) -> None:
    """And only as long as it is."""
    rehearsal.label(truth, WRONG)
    figures = rehearsal.residual(WARN)
    print(f"off by {WRONG} m: {figures}")
    rehearsal.label(truth, 0.0)
    rehearsal.residual(OK)


def test_a_plan_is_shown_before_the_robot_moves(rehearsal: Rehearsal, truth: SceneState) -> None:
    """Its pictures differ while the joints stand still; then the joints are followed again."""
    client = rehearsal.client
    expert = SafeActionClient(client.node, ExecuteTask, "kpam_expert/execute_task")
    assert expert.wait_for_server(GUARD)
    at_rest = np.array(client.newest("joint_states").position)
    client.forget()
    handle = client.result(expert.send_goal_async(ExecuteTask.Goal(task="OpenDrawer")))
    assert handle.accepted
    client.wait("shadow/mode", lambda m: m.data == "plan")
    pictures = [bytes(m.data) for m in client.collect("shadow/image", 6)]
    assert len(set(pictures)) >= 4, "an animation"
    np.testing.assert_allclose(client.newest("joint_states").position, at_rest, atol=1e-3)
    result = client.end(handle)
    assert result.error_code == ExecuteTask.Result.NONE, result.error_msg
    assert client.newest("shadow/mode").data == "live"
    assert [m.data for m in client.heard["shadow/mode"]] == ["plan", "live"]
    moved = np.abs(np.array(client.newest("joint_states").position) - at_rest).max()
    assert moved > 0.3


def test_a_shadow_has_nothing_to_say_to_a_body(rehearsal: Rehearsal, truth: SceneState) -> None:
    """No topic, service or action of the robot is within its reach."""
    node = rehearsal.client.node
    for name in SHADOWS:
        said = [topic for topic, _ in node.get_publisher_names_and_types_by_node(name, "/")]
        assert said and all(LOUD.fullmatch(topic) for topic in said), said
        assert node.get_client_names_and_types_by_node(name, "/") == []


def test_its_end_is_not_that_of_the_run(rehearsal: Rehearsal, truth: SceneState) -> None:
    """The robot obeys, and clouds go on."""
    for name in ("shadow", "cloud_overlay"):
        pid = rehearsal.launch.until(rf"\[{name}-\d+\]: process started with pid \[(\d+)\]")[1]
        os.kill(int(pid), signal.SIGKILL)
        rehearsal.launch.until(rf"{name}-\d+ ended with exit code -9: .*everything else goes on")
    rehearsal.client.forget()
    assert rehearsal.client.grip(0.02).reached_goal
    rehearsal.client.wait("points")
    assert "Shutdown" not in rehearsal.launch.output
