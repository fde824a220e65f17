"""The page in a real browser: what a person sees, and that the buttons can be pressed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from chromium import PROGRAM, Chromium
from page_client import wait_until
from sensor_msgs.msg import Image
from view_graph import Surroundings, ViewProcess, free_port, graph_environment

from gensim2_msgs.msg import Keypoint, ObjectState, SceneState

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed")

DOMAIN = 1 + (os.getpid() + 35) % 95
EVIL = '<img src=x onerror="window.harmed = true">'


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        environment = graph_environment(DOMAIN)
        for name in environment.keys() - os.environ.keys():
            patch.setenv(name, environment[name])
        patch.setenv("ROS_DOMAIN_ID", str(DOMAIN))
        yield environment


@pytest.fixture(scope="module")
def graph(environment: dict[str, str]) -> Iterator[tuple[Surroundings, int]]:
    port = free_port()
    view = ViewProcess(environment, port)
    view.wait_ready()
    graph = Surroundings(DOMAIN)
    yield graph, port
    graph.close()
    assert view.end(signal.SIGTERM) == 0, view.lines


@pytest.fixture(scope="module")
def browser(graph: tuple[Surroundings, int]) -> Iterator[Chromium]:
    browser = Chromium()
    browser.open(f"http://127.0.0.1:{graph[1]}/")
    yield browser
    browser.close()


def words(browser: Chromium) -> str:
    return str(browser.evaluate("document.body ? document.body.innerText : ''"))


def click(browser: Chromium, label: str) -> None:
    browser.evaluate(
        "[...document.querySelectorAll('button')]"
        f".find(button => button.innerText.trim() === '{label}').click()"
    )


def canvas(browser: Chromium) -> np.ndarray:
    """The middle of the canvas, where the robot stands."""
    x, y, width, height = browser.evaluate(
        "(() => { const r = [...document.querySelectorAll('canvas')]"
        ".map(c => c.getBoundingClientRect()).sort((a, b) => b.width - a.width)[0];"
        " return [r.x, r.y, r.width, r.height] })()"
    )
    rows = slice(int(y + height / 4), int(y + 3 * height / 4))
    return browser.pixels()[rows, int(x + width / 4) : int(x + 3 * width / 4)]


def red_pixels(browser: Chromium) -> int:
    return int(np.all(np.abs(browser.pixels() - [1.0, 0.0, 0.0]) < 0.05, axis=2).sum())


def test_a_person_sees_buttons_robot_object_and_pictures(
    graph: tuple[Surroundings, int], browser: Chromium
) -> None:
    wait_until(lambda: "Stop" in words(browser))
    wait_until(lambda: "wrist_camera" in words(browser))
    for label in ("Reset", "Run", "Recover", "Home", "Task", "Seed", "Episodes", "Nodes"):
        assert label in words(browser)
    state = ObjectState(name="drawer", asset="procedural:drawer/5", keypoints=[Keypoint(name="k")])
    state.pose.orientation.w, state.pose.position.x, state.pose.position.z = 1.0, 0.6, 0.2
    scene = SceneState(task="OpenDrawer", seed=7, objects=[state])
    scene.header.frame_id = "base"
    graph[0].publish("scene/state", scene)
    red = np.tile(np.array([255, 0, 0], dtype=np.uint8), (60, 80, 1))
    image = Image(height=60, width=80, encoding="rgb8", step=240, data=red.tobytes())
    with graph[0].streaming("left_camera/color/image_raw", image):
        wait_until(lambda: "OpenDrawer, seed 7" in words(browser))
        wait_until(lambda: red_pixels(browser) > 2000)
    # A canvas on which nothing is drawn is of one colour; robot, table and object are of many.
    wait_until(lambda: len(np.unique(canvas(browser).reshape(-1, 3).round(2), axis=0)) > 50)
    wait_until(lambda: canvas(browser).mean(axis=2).std() > 0.03)


def test_the_button_stop_stops(graph: tuple[Surroundings, int], browser: Chromium) -> None:
    wait_until(lambda: "Stop" in words(browser))
    click(browser, "Stop")
    graph[0].called("robot/stop")
    wait_until(lambda: "robot/stop answered" in words(browser))


def test_text_of_the_graph_is_seen_as_text(
    graph: tuple[Surroundings, int], browser: Chromium
) -> None:
    scene = SceneState(task=EVIL, objects=[ObjectState(name="x", keypoints=[Keypoint(name=EVIL)])])
    scene.header.frame_id = "base"
    scene.objects[0].asset = EVIL
    scene.objects[0].pose.orientation.w = 1.0
    graph[0].publish("scene/state", scene)
    wait_until(lambda: EVIL in words(browser))
    assert browser.evaluate("window.harmed") is None
    assert browser.evaluate("document.querySelectorAll('img[onerror]').length") == 0
