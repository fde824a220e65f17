"""What the expert sees of a scene by message, and when it is that of the present."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gensim2_tasks.catalogue import load_task

pytest.importorskip("rclpy", reason="needs ROS 2")
pytest.importorskip("gensim2_msgs.msg", reason="needs the built workspace")

from gensim2_control.ros.conversions import matrix_to_pose, stamp_from_seconds
from gensim2_kpam.graph_news_node import GraphNews
from gensim2_kpam.observed_messages_node import observed
from scipy.spatial.transform import Rotation

from gensim2_msgs.msg import ObjectState, RobotStatus, SceneState, SubtaskState
from gensim2_tasks import se3

TASK = load_task("OpenBox")


def test_a_subtask_that_is_not_told_is_unknown() -> None:
    scene = SceneState(subtasks=[SubtaskState(name="open", done=True)])
    assert observed(TASK, scene, {}).done == (True,)
    assert observed(TASK, SceneState(subtasks=[SubtaskState(name="shut")]), {}).done == (None,)


@pytest.mark.parametrize(("turn", "tilt"), [("z", 0.0), ("x", 1.2), ("y", 1.2)])
def test_a_tilt_is_told_from_how_an_object_stood_at_the_start(turn: str, tilt: float) -> None:
    start = se3.transform([0.5, 0.0, 0.1], Rotation.from_euler("xz", [0.4, 0.9]))
    now = start.copy()
    now[:3, :3] = Rotation.from_euler(turn, 1.2).as_matrix() @ start[:3, :3]
    box = ObjectState(name="box", pose=matrix_to_pose(now))
    seen = observed(TASK, SceneState(objects=[box]), {"box": matrix_to_pose(start)})
    assert seen.tilts["box"] == pytest.approx(tilt, abs=1e-6)
    box.pose.orientation.w = float("nan")
    assert np.isnan(
        observed(TASK, SceneState(objects=[box]), {"box": matrix_to_pose(start)}).tilts["box"]
    )
    assert observed(TASK, SceneState(objects=[box]), {}).tilts == {}


class Heard:
    """News that a test makes."""

    def __init__(self) -> None:
        clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=0))
        node: Any = SimpleNamespace(
            get_clock=lambda: clock, create_subscription=lambda *_, **__: None
        )
        group: Any = None
        self.news = GraphNews(node, group, threading.Condition())

    def scene(self, t: float) -> bool:
        message = SceneState()
        message.header.stamp = stamp_from_seconds(t)
        self.news._on_scene(message)
        return self.news.looked()

    def status(self, mode: int) -> bool:
        self.news._on_status(RobotStatus(mode=mode))
        return self.news.looked()


@pytest.mark.parametrize(
    ("stamps", "looked"),
    [
        # Time goes on; the first one was under way, the second may be of the end of the motion.
        ((6.9, 7.0, 7.1), [False, False, True]),
        ((7.05, 7.15), [False, True]),
        # In lockstep: of within the last step, and of the moment after it.
        ((7.0, 7.005, 7.005), [False, True, True]),
        ((6.9, 7.005, 7.005), [False, False, True]),
    ],
)
def test_two_scenes_show_what_has_been_done(stamps: list[float], looked: list[bool]) -> None:
    heard = Heard()
    heard.scene(6.9)
    heard.scene(7.0)
    heard.news.look()
    assert not heard.news.looked()
    assert [heard.scene(t) for t in stamps] == looked


def test_what_was_shown_while_the_arm_still_moved_does_not_count() -> None:
    heard = Heard()
    heard.news.look()
    heard.status(RobotStatus.MOVING)
    assert not any(heard.scene(t) for t in (7.0, 7.1, 7.2, 7.2))
    assert not heard.status(RobotStatus.IDLE)
    assert [heard.scene(t) for t in (7.2, 7.2)] == [False, True]
