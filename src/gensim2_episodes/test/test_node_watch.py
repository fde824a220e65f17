"""A node that hangs is told from one that has left, and from one that was never there."""

from __future__ import annotations

from concurrent.futures import Future

import numpy as np
import pytest
from gensim2_control.marks import GREEN, RED, Lines, Points, Text
from gensim2_episodes.attempts import GraphError, NoAnswerError
from gensim2_episodes.node_watch import NodeWatch
from gensim2_episodes.scene import Scene, SceneObject
from gensim2_episodes.scene_picture import LOWER, UPPER, scene_marks
from gensim2_episodes.waiting import result_of


def test_silence_counts_from_the_first_report_on() -> None:
    watch = NodeWatch(15.0, ignored=("me",))
    everybody = ("planner", "fusion", "me", "web_view", "rviz2", "slow_starter")
    assert watch.trouble(everybody, 100.0) == "", "nobody has been heard yet"
    watch.heard(("planner: plans", "fusion: clouds", "fusion: left"), 100.0)
    watch.heard(("me: a", "web_view: b", "rviz2: c"), 100.0)
    assert watch.trouble(everybody, 115.0) == ""
    watch.heard(("fusion: clouds",), 115.0)
    # Who is still seen in the graph may be compiling shaders.
    assert watch.trouble(everybody, 160.0) == ""
    text = watch.trouble(everybody, 160.1)
    assert text.startswith("nothing heard for 60 s of planner (it hangs);")
    assert "fusion (it hangs), planner (it hangs)" in watch.trouble(everybody, 176.0)


def test_a_stopped_process_is_dropped_from_the_graph_and_still_missed() -> None:
    watch = NodeWatch(15.0)
    watch.heard(("planner: plans",), 0.0)
    assert watch.trouble(("fusion",), 10.0) == ""
    assert "planner (its process has died or is stopped)" in watch.trouble(("fusion",), 20.0)
    watch.forget()
    assert watch.trouble(("fusion",), 40.0) == "", "who left before is not missed"


def test_the_picture_shows_keypoints_workspace_and_predicates() -> None:
    box = SceneObject(
        "box",
        "box_rotate",
        "procedural:box_rotate/1",
        (0.0,) * 7,
        "lid",
        0.1,
        0.5,
        (("head", (0.4, 0.1, 0.2)),),
    )
    predicates = (
        {"name": "open", "satisfied": True, "value": 0.91},
        {"name": "settled", "satisfied": False, "value": 0.2},
    )
    drawn = scene_marks(Scene(0, 1, (box,), predicates, False), "collecting OpenBox 1/5: run")
    texts = {m.text: m.colour for m in drawn if isinstance(m, Text)}
    assert texts["open: 0.910"] == GREEN and texts["settled: 0.200"] == RED
    assert "collecting OpenBox 1/5: run" in texts and "box/head" in texts
    (points,) = [m for m in drawn if isinstance(m, Points)]
    np.testing.assert_allclose(points.points, [[0.4, 0.1, 0.2]])
    (edges,) = [m for m in drawn if isinstance(m, Lines)]
    assert len(edges.colours) == 12
    assert np.array_equal(edges.points.min(axis=0), LOWER)
    assert np.array_equal(edges.points.max(axis=0), UPPER)
    assert [m.text for m in scene_marks(None, "idle") if isinstance(m, Text)] == ["idle"]


def test_what_ends_a_wait_is_told_from_a_wait_that_was_too_long() -> None:
    """Who asks again after the one must not do so after the other."""
    with pytest.raises(NoAnswerError, match="nothing within 0 s"):
        result_of(Future(), lambda: None, 0.0, "nothing")
    hangs = GraphError("sim_bridge hangs")
    with pytest.raises(GraphError, match="sim_bridge hangs") as caught:
        result_of(Future(), lambda: hangs, 60.0, "nothing")
    assert not isinstance(caught.value, NoAnswerError)
