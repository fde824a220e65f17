"""The page on a real graph: the node is a process, what it looks at is this one.

What is asserted is what a person before the page relies upon: that it shows what the graph says
and nothing else, and that the buttons, Stop before all, do what they say.
"""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from gensim2_control.description import robot_description
from gensim2_control.hardware import JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from geometry_msgs.msg import Pose, PoseArray, PoseStamped
from nav_msgs.msg import Path
from page_client import GUARD, PageClient
from sensor_msgs.msg import Image, JointState
from view_graph import (
    Surroundings,
    ViewProcess,
    cloud_message,
    free_port,
    graph_environment,
    marker,
)
from visualization_msgs.msg import Marker, MarkerArray

from gensim2_msgs.msg import EpisodeSummary, Keypoint, ObjectState, RobotStatus, SceneState

DOMAIN = 1 + (os.getpid() + 34) % 95
EVIL = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        environment = graph_environment(DOMAIN)
        for name in environment.keys() - os.environ.keys():
            patch.setenv(name, environment[name])
        patch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
        yield environment


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def view(environment: dict[str, str], port: int) -> Iterator[ViewProcess]:
    view = ViewProcess(environment, port)
    view.wait_ready()
    yield view
    assert view.end(signal.SIGINT) == 0, view.lines
    assert not [line for line in view.lines if "Traceback" in line]


@pytest.fixture(scope="module")
def graph(view: ViewProcess) -> Iterator[Surroundings]:
    graph = Surroundings(DOMAIN)
    yield graph
    graph.close()


@pytest.fixture
def page(graph: Surroundings, port: int) -> Iterator[PageClient]:
    page = PageClient(port)
    yield page
    page.close()


def test_the_page_is_served_and_one_line_says_where(view: ViewProcess, port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=GUARD) as answer:
        assert b"<html" in answer.read()
    assert len(view.lines) == 1
    assert view.lines[0].endswith(f"open http://127.0.0.1:{port}")


def test_the_robot_moves_as_its_joints_do(graph: Surroundings, page: PageClient) -> None:
    q = np.array([0.3, -0.5, 0.2, -2.0, 0.1, 1.5, 0.7, 0.03, 0.03])
    # Every link hangs in its parent: the first turns about z, and so do its meshes.
    wanted = [np.cos(0.15), 0.0, 0.0, np.sin(0.15)]
    kinematics = Fr3Kinematics.from_urdf(robot_description())
    hand, finger = (kinematics.fk(q[:7], link) for link in ("fr3_hand", "fr3_leftfinger"))
    in_hand = (np.linalg.inv(hand) @ finger)[:3, 3] + [0.0, 0.03, 0.0]
    state = JointState(name=list(JOINTS), position=q.tolist())
    with graph.streaming("joint_states", state):
        page.wait(
            lambda m: (
                m["type"] == "SetOrientationMessage"
                and m["name"] == "/robot/base/fr3_link0/fr3_link1"
                and np.allclose(m["wxyz"], wanted, atol=1e-6)
            )
        )
        page.wait(
            lambda m: (
                m["type"] == "SetPositionMessage"
                and m["name"].endswith("/fr3_leftfinger")
                and np.allclose(m["position"], in_hand, atol=1e-6)
            )
        )


def test_clouds_pictures_plans_and_markers_are_drawn(graph: Surroundings, page: PageClient) -> None:
    xyz = np.random.default_rng(0).uniform(0.0, 1.0, (100, 3)).astype(np.float32)
    cloud = cloud_message(xyz, np.full((100, 3), 200, dtype=np.uint8))
    with graph.streaming("points", cloud):
        page.of_type("PointCloudMessage", name="/cloud/points")
    image = Image(height=4, width=6, encoding="bgr8", step=18, data=bytes(72))
    with graph.streaming("left_camera/color/image_raw", image):
        page.wait(lambda m: m["type"] == "GuiUpdateMessage" and "_data" in m["updates"])
    path = Path(poses=[PoseStamped(), PoseStamped()])
    path.poses[1].pose.position.x = 0.5
    graph.publish("kpam_planner/path", path)
    page.of_type("LineSegmentsMessage", name="/plan/path/0")
    graph.publish("kpam_planner/key_poses", PoseArray(poses=[Pose(), Pose()]))
    page.of_type("BatchedAxesMessage", name="/plan/axes")
    shown = [
        marker(Marker.SPHERE, id=0),
        marker(Marker.LINE_LIST, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), id=1),
        marker(Marker.ARROW, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), id=2),
        marker(Marker.TEXT_VIEW_FACING, id=3, text=EVIL),
    ]
    graph.publish("kpam_planner/markers", MarkerArray(markers=shown))
    page.of_type("BatchedMeshesMessage", name="/markers/0/0")
    page.of_type("LineSegmentsMessage", name="/markers/0/1")
    page.of_type("ArrowMessage", name="/markers/0/2")
    page.of_type("LabelMessage", name="/texts/0/0")
    everything_away = MarkerArray(markers=[Marker(action=Marker.DELETEALL)])
    graph.publish("kpam_planner/markers", everything_away)
    page.of_type("RemoveSceneNodeMessage", name="/markers/0/2")


def test_an_object_is_built_once_and_moved_with_its_joint(
    graph: Surroundings, page: PageClient
) -> None:
    state = ObjectState(name="drawer", asset="procedural:drawer/5", joint_position=0.0)
    state.pose.orientation.w = 1.0
    state.pose.position.x = 0.6
    state.keypoints = [Keypoint(name="handle")]
    scene = SceneState(task="OpenDrawer", seed=7, objects=[state])
    scene.header.frame_id = "base"
    graph.publish("scene/state", scene)
    page.wait(lambda m: m["type"] == "GlbMessage" and m["name"].startswith("/objects/0/"))
    page.html("OpenDrawer, seed 7")
    page.wait(lambda m: m["type"] == "LabelMessage" and m["props"]["text"] == "handle")
    with page.news:
        page.heard.clear()
    state.joint_position = 0.1
    graph.publish("scene/state", scene)
    page.wait(lambda m: m["type"] == "SetPositionMessage" and m["name"].startswith("/objects/0/"))
    assert not [m for m in page.heard if m["type"] == "GlbMessage"]


def test_text_of_the_graph_is_shown_as_text(graph: Surroundings, page: PageClient) -> None:
    scene = SceneState(task=EVIL, objects=[])
    scene.header.frame_id = "base"
    graph.publish("scene/state", scene)
    graph.publish("robot_status", RobotStatus(mode=RobotStatus.REFLEX, errors=[EVIL]))
    status = DiagnosticStatus(name=f"{EVIL}: x", level=b"\x02", message=EVIL)
    graph.publish("diagnostics", DiagnosticArray(status=[status]))
    graph.publish(
        "episode_manager/episodes", EpisodeSummary(task=EVIL, outcome=EVIL, reason=EVIL, index=1)
    )
    for part in ("scene</td>", "errors</td>", "error</span>", "0 of 1"):
        page.wait(
            lambda m, part=part: (
                m["type"] == "GuiUpdateMessage"
                and part in str(m["updates"].get("content"))
                and ESCAPED[:30] in str(m["updates"].get("content"))
            )
        )
    assert not [m for m in page.heard if EVIL[:12] in str(m.get("updates", {}).get("content", ""))]


def test_stop_does_not_queue_behind_a_reset(graph: Surroundings, page: PageClient) -> None:
    graph.may_reset.clear()
    page.press("Reset")
    assert graph.called("scene/reset").randomize
    page.press("Stop")
    graph.called("robot/stop")
    assert page.notification("Stop") == "robot/stop answered"
    graph.may_reset.set()
    assert page.notification("Reset") == "robot is busy"


def test_recover_and_home_reach_the_robot(graph: Surroundings, page: PageClient) -> None:
    for label in ("Recover", "Home"):
        page.press(label)
        graph.called(f"robot/{label.lower()}")
        assert page.notification(label) == f"robot/{label.lower()} answered"


def test_run_shows_progress_and_result_and_runs_once(graph: Surroundings, page: PageClient) -> None:
    graph.may_end.clear()
    page.press("Run")
    assert graph.called("execute_task").task
    page.html("approach, 50 %")
    page.press("Run")
    assert "a task is running" in page.notification("Run", "running")
    graph.may_end.set()
    assert "done in 4.2 s" in page.notification("Run", "done")
    assert graph.calls.empty()


def test_nothing_disturbs_a_collection_but_stop(graph: Surroundings, page: PageClient) -> None:
    graph.collect(running=True)
    page.html("collecting episodes")
    for label in ("Reset", "Run", "Home"):
        page.press(label)
        assert "a collection is running" in page.notification(label)
    page.press("Stop")
    graph.called("robot/stop")
    assert graph.calls.empty()
    graph.collect(running=False)


def test_pages_of_other_sites_are_refused(view: ViewProcess, port: int) -> None:
    stranger = PageClient(port, origin="http://example.com")
    assert stranger.wait_closed() == 1008
    assert not stranger.heard
    own = PageClient(port, origin=f"http://127.0.0.1:{port}")
    own.of_type("GuiButtonMessage")
    own.close()


def test_a_port_in_use_is_said_so(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        second = ViewProcess(environment, port)
        assert second.wait() == 1
    text = "\n".join(second.lines)
    assert f"port {port}" in text and "choose another" in text
    assert "Traceback" not in text
