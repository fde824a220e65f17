"""What the tables say, and that text of the graph stays text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gensim2_view.episode_table import ROWS, Episode, EpisodeTable
from gensim2_view.health_table import MAX_NODES, SILENT_AFTER, HealthTable, Status
from gensim2_view.html_text import text
from gensim2_view.web_server import may_connect

EVIL = '<script>alert("x")<!-- '
EPISODE = Episode("OpenBox", 1, 5, 1, 7, "procedural:box/1", True, "success", "", "e", 4.0, 0.1, 9)


def test_the_rate_is_that_of_the_task() -> None:
    table = EpisodeTable()
    for seed in range(3):
        table.add(replace(EPISODE, seed=seed))
    table.add(replace(EPISODE, seed=4, success=False, outcome="plan_failed", reason="no way"))
    table.add(replace(EPISODE, task="CloseBox", success=False))
    assert table.rates() == {"CloseBox": (0, 1), "OpenBox": (3, 4)}
    page = table.html()
    assert "75 %" in page and "plan_failed" in page and "no way" in page


def test_an_episode_that_is_sent_twice_counts_once() -> None:
    table = EpisodeTable()
    assert table.add(EPISODE)
    assert not table.add(replace(EPISODE))
    assert table.rates() == {"OpenBox": (1, 1)}


def test_rates_count_what_is_no_longer_listed() -> None:
    table = EpisodeTable()
    for seed in range(3 * ROWS):
        table.add(replace(EPISODE, seed=seed))
    assert table.rates() == {"OpenBox": (3 * ROWS, 3 * ROWS)}
    assert table.html().count("<tr>") == ROWS + 3  # Two heads and the rate.


@pytest.mark.parametrize("name", ["task", "asset", "outcome", "reason"])
def test_episodes_are_shown_as_text(name: str) -> None:
    table = EpisodeTable()
    table.add(replace(EPISODE, success=False, **{name: EVIL}))
    assert "<script" not in table.html() and "&lt;script" in table.html()


def test_a_node_is_as_well_as_its_worst_component() -> None:
    table = HealthTable()
    table.add([Status("sim: loop", 0, "running"), Status("sim: cameras", 1, "late")], now=0.0)
    table.add([Status("manager: batch", 2, "disk full")], now=0.0)
    assert table.summary(1.0) == {"sim": ("warning", "late"), "manager": ("error", "disk full")}
    table.add([Status("sim: cameras", 0, "in time")], now=1.0)
    assert table.summary(1.0)["sim"][0] == "ok"


def test_a_node_that_says_nothing_is_silent() -> None:
    table = HealthTable()
    table.add([Status("sim: loop", 0, "running")], now=0.0)
    assert table.summary(SILENT_AFTER)["sim"][0] == "ok"
    assert table.summary(SILENT_AFTER + 1)["sim"] == ("silent", "for 6 s")


def test_health_is_shown_as_text_and_bounded() -> None:
    table = HealthTable()
    table.add([Status(f"{EVIL}: x", 77, EVIL)], now=0.0)
    assert "<script" not in table.html(0.0)
    table.add([Status(f"n{i}: x", 0, "") for i in range(10 * MAX_NODES)], now=0.0)
    assert len(table.summary(0.0)) == MAX_NODES


def test_text_is_cut_before_it_is_escaped() -> None:
    assert text("<" * 50, limit=3) == "&lt;&lt;…"


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        (None, "127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://localhost:9000", "localhost:9000", True),  # A port that ssh forwards.
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://robot.lab:8080", "robot.lab:8080", True),
        ("http://evil.example", "127.0.0.1:8080", False),
        ("http://127.0.0.1:9999", "127.0.0.1:8080", False),
        ("null", "127.0.0.1:8080", False),
        ("http://evil.example:8080", "evil.example:8080", False),  # A name pointed at us.
        (None, "evil.example:8080", False),
        (None, None, False),
    ],
)
def test_only_our_own_page_may_press_buttons(
    origin: str | None, host: str | None, may: bool
) -> None:
    assert may_connect(origin, host, served="robot.lab") is may
