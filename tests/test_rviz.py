"""RViz shows what the graph says: its settings fit the topics there are."""

from __future__ import annotations

import copy
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

import rclpy
from launch_process import GUARD, LaunchProcess
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rviz_settings import Wanted, complaint, subscriptions

ROOT = Path(__file__).resolve().parents[1]
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "launch" / "rviz" / "gensim2.rviz").read_text())
MANAGER = SETTINGS["Visualization Manager"]
DOMAIN = 1 + (os.getpid() + 39) % 95
POLL = 0.05  # s
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
VOLATILE = QoSProfile(depth=1)
BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# As a user starts both halves and a shadow; one launch for all ends as one.
GRAPH = """
from gensim2_launch.ros.description import include
from launch import LaunchDescription


def generate_launch_description():
    files = ("robot_sim.launch.py", "core.launch.py", "shadow.launch.py")
    return LaunchDescription(
        [include(name, obs="pointcloud", shadow="true", use_sim_time="true") for name in files]
    )
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchProcess]:
    """The body, the core, and a shadow of the body."""
    folder = tmp_path_factory.mktemp("rviz")
    (folder / "graph.launch.py").write_text(GRAPH)
    launch = LaunchProcess(folder, DOMAIN, str(folder / "graph.launch.py"))
    yield launch
    launch.kill()


@pytest.fixture(scope="module")
def looker() -> Iterator[Node]:
    """A node that looks at the graph."""
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    node = Node("_looker", context=context, start_parameter_services=False, enable_rosout=False)
    yield node
    node.destroy_node()
    context.try_shutdown()


def complaints(node: Node) -> list[str]:
    """What RViz would not hear now."""
    found = []
    for wanted in subscriptions(SETTINGS):
        infos = node.get_publishers_info_by_topic(wanted.topic)
        text = complaint(wanted, [(info.topic_type, info.qos_profile) for info in infos])
        if text is not None:
            found.append(text)
    return found


def test_every_display_hears_its_topic(graph: LaunchProcess, looker: Node) -> None:
    """Each topic exists, has the type of its display, and a profile that reaches it."""
    for name in ("sim_bridge", "pointcloud_fusion", "kpam_planner", "episode_manager"):
        graph.until(rf"\[{name}-\d+\]: process started")
    deadline = time.monotonic() + GUARD
    while (missing := complaints(looker)) and time.monotonic() < deadline:
        assert "process has died" not in graph.output, graph.output
        time.sleep(POLL)
    assert missing == [], graph.output


def test_it_shows_what_is_to_be_seen() -> None:
    """Robot, frames, cloud, plan, episode and all cameras, in the frame of everything planned."""
    assert MANAGER["Global Options"]["Fixed Frame"] == "base"
    topics = {wanted.topic for wanted in subscriptions(SETTINGS)}
    assert topics == {
        "/tf",
        "/tf_static",
        "/robot_description",
        "/points",
        "/shadow/points",
        "/shadow/image",
        "/cloud_overlay/points",
        "/kpam_planner/markers",
        "/kpam_planner/path",
        "/kpam_planner/key_poses",
        "/episode_manager/markers",
        "/wrist_camera/color/image_raw",
        "/left_camera/color/image_raw",
        "/right_camera/color/image_raw",
    }
    tools = {tool["Class"]: tool for tool in MANAGER["Tools"]}
    clicked = tools["rviz_default_plugins/PublishPoint"]["Topic"]
    assert clicked["Value"] == "/clicked_point"
    clouds = [d for d in MANAGER["Displays"] if d["Class"].endswith("/PointCloud2")]
    assert {cloud["Color Transformer"] for cloud in clouds} == {"RGB8"}


def test_a_display_of_an_unknown_class_is_refused() -> None:
    """RViz would show an error in the place of the display."""
    settings = copy.deepcopy(SETTINGS)
    settings["Visualization Manager"]["Displays"][0]["Class"] = "rviz/Grid"
    with pytest.raises(ValueError, match="unknown class 'rviz/Grid'"):
        subscriptions(settings)


@pytest.mark.parametrize(
    "key", ["Depth", "History Policy", "Reliability Policy", "Durability Policy", "Value"]
)
def test_a_topic_without_its_profile_is_refused(key: str) -> None:
    """What is not stored is a default of RViz, which may be another one tomorrow."""
    settings = copy.deepcopy(SETTINGS)
    displays = settings["Visualization Manager"]["Displays"]
    del next(d for d in displays if d["Name"] == "Plan")["Topic"][key]
    with pytest.raises(KeyError, match=key):
        subscriptions(settings)


@pytest.mark.parametrize(
    ("offered", "text"),
    [
        ([], "has no publisher"),
        ([("std_msgs/msg/String", LATCHED)], "is of type std_msgs/msg/String"),
        ([("nav_msgs/msg/Path", VOLATILE)], "is not heard: .*volatile"),
        ([("nav_msgs/msg/Path", BEST_EFFORT)], "is not heard: .*reliab"),
        ([("nav_msgs/msg/Path", LATCHED), ("nav_msgs/msg/Path", VOLATILE)], "is not heard"),
    ],
)
def test_what_would_not_be_heard_is_told(offered: list[tuple[str, QoSProfile]], text: str) -> None:
    """A display that is silent for its profile looks like a planner that plans nothing."""
    wanted = Wanted("Path", "/path", "nav_msgs/msg/Path", LATCHED)
    told = complaint(wanted, offered)
    assert told is not None and told.startswith("display 'Path': /path ")
    assert re.search(text, told, re.IGNORECASE), told


def test_what_is_heard_is_no_complaint() -> None:
    """More may be offered than is wanted."""
    wanted = Wanted("Path", "/path", "nav_msgs/msg/Path", BEST_EFFORT)
    assert complaint(wanted, [("nav_msgs/msg/Path", LATCHED)]) is None
