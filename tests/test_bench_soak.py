"""`./ws --with real python bench/soak.py`: what it would notice, and that it runs."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

pytest.importorskip("gensim2_msgs.msg", reason="needs the workspace: run the tests with ./ws")

from figures import OVER
from gensim2_control.description import resolve_packages, robot_description
from gensim2_control.hardware import HOME_Q
from soak_moves import RandomMoves, chunk_of
from soak_record import Outcomes, Process, Sample, figures_of

BENCH = Path(__file__).resolve().parents[1] / "bench"
GUARD = 300.0  # s; only ends a test that hangs
NOMINAL = {"joint_states": 100.0, "diagnostics": 1.0}
HEALTHY = Process(200 * 2**20, 30, 40, 1.0)


def flat(_: int) -> Process:
    """A process that does not change."""
    return HEALTHY


def soak(
    process: Callable[[int], Process] = flat, rate: Callable[[int], float] = lambda _: 100.0
) -> list[Sample]:
    """Gives ten minutes of samples."""
    heard, samples = {"joint_states": 0.0, "diagnostics": 0.0}, []
    for i in range(600):
        counts = {topic: int(number) for topic, number in heard.items()}
        samples.append(Sample(float(i), {"driver": process(i)}, counts, 1.0, 0.5))
        heard["joint_states"] += rate(i)
        heard["diagnostics"] += 1.3
    return samples


def over(samples: list[Sample], outcomes: Outcomes | None = None) -> list[str]:
    """Gives the keys of what is out of bounds."""
    figures = figures_of(samples, outcomes or Outcomes(), NOMINAL, ("driver",))
    return [figure.key for figure in figures if figure.verdict == OVER]


def test_what_is_constant_after_the_start_is_fine() -> None:
    """A process grows while it warms up; diagnostics may come more often than they must."""

    def warm(i: int) -> Process:
        return HEALTHY if i > 100 else replace(HEALTHY, rss=HEALTHY.rss // 2, threads=3)

    assert over(soak(warm)) == []


@pytest.mark.parametrize(
    ("process", "key"),
    [
        (lambda i: replace(HEALTHY, rss=HEALTHY.rss + i * 2**14), "rss"),
        (lambda i: replace(HEALTHY, threads=30 + i // 400), "threads"),
        (lambda i: replace(HEALTHY, files=40 + i // 100), "files"),
    ],
)
def test_what_grows_is_over(process: Callable[[int], Process], key: str) -> None:
    """9 MiB in ten minutes are 2.5 % of 200 MiB."""
    assert over(soak(process)) == [f"soak.driver.{key}"]


def test_one_slow_window_is_over() -> None:
    """Ten seconds with six joint states in a hundred missing, or none at all."""
    assert over(soak(rate=lambda i: 94.0 if 300 <= i < 310 else 100.0)) == [
        "soak.rate.joint_states"
    ]
    assert over(soak(rate=lambda i: 96.0)) == []
    assert "soak.rate.joint_states" in over(soak(rate=lambda i: 0.0))


def test_a_goal_with_the_wrong_end_is_over() -> None:
    """Those that end as they should are only counted."""
    outcomes = Outcomes()
    outcomes.note("move", "succeeded", ("succeeded",), "", 1.0)
    assert over(soak(), outcomes) == []
    outcomes.note("move", "aborted", ("succeeded",), "STATE_STALE", 2.0)
    assert over(soak(), outcomes) == ["soak.goals.wrong"]
    assert outcomes.failures == ["2.0 s: move aborted: STATE_STALE"]
    assert sum(outcomes.counts.values()) == 2


def test_moves_depend_on_their_seed_alone() -> None:
    """A failure can be made again; chunks of a motion lead to where it ends."""
    urdf = resolve_packages(robot_description())
    q = np.array(HOME_Q)
    first, again, other = (
        RandomMoves(np.random.default_rng(seed), urdf).move(q) for seed in (3, 3, 4)
    )
    assert np.array_equal(first.q, again.q) and not np.allclose(first.q[-1], other.q[-1])
    last = chunk_of(first, first.duration - 0.15)
    assert last.dq is not None
    np.testing.assert_allclose(last.q[-1], first.q[-1])
    np.testing.assert_allclose(last.dq[-1], 0.0, atol=1e-9)
    assert not np.array_equal(last.q[0], last.q[-1])


def test_it_runs(tmp_path: Path) -> None:
    """Goals are sent to a driver and a robot, they end well, and all is written down.

    On a busy machine the robot may stop in between, which then is said.
    """
    pytest.importorskip("franky", reason="needs the wheels of the real robot: ./ws --with real")
    words = [sys.executable, str(BENCH / "soak.py"), "--minutes", "0.15", "--no-check"]
    done = subprocess.run(
        [*words, "--out", str(tmp_path)], capture_output=True, text=True, timeout=GUARD
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said and (done.returncode == 0) != ("WRONG: " in said), said
    with (tmp_path / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 5
    for name in ("franka_driver", "fake_robot"):
        assert float(rows[-1][f"{name}.rss"]) > 2**20 and float(rows[-1][f"{name}.files"]) > 3
    assert float(rows[-1]["joint_states"]) > 50 + float(rows[0]["joint_states"])
    assert (tmp_path / "soak.png").stat().st_size > 1000
    assert "│ succeeded │" in done.stdout, said
