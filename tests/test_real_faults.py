"""Whoever dies or freezes in the graph of a real robot, the arm comes to rest and it is told.

Over libfranka's protocol and software cameras, every node a process of its own. The times are
printed, and stand in docs/sim2real.md.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "src" / "gensim2_control" / "test"))

from launch_process import LaunchProcess

pytest.importorskip("rclpy", reason="needs the workspace: run the tests with ./ws")

from gensim2_control.ros.conversions import seconds
from gensim2_episodes.store import EpisodeStore
from mock_process import Client, joined

DOMAINS = iter(1 + (os.getpid() + 16 + i) % 95 for i in (0, 1, 3, 4, 7, 16, 21, 26, 66))
ADDRESSES = iter(f"127.{2 + os.getpid() % 250}.252.{i}" for i in range(1, 20))
CONTROLLER_BOUND = 1.0
"""Longest time to rest after the loss of who leads the arm, s."""
STILL = 0.01
"""Speed of a joint that rests, rad/s."""
HOW = pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=lambda s: s.name)


@pytest.fixture
def domain() -> Iterator[int]:
    """A domain of its own, in which this process is, too."""
    with joined(next(DOMAINS)) as number:
        yield number


class Struck:
    """A launch in whose first motion a node is struck, and what the arm does from there on."""

    def __init__(self, folder: Path, domain: int, *words: str) -> None:
        self._client = Client(domain)
        address = f"robot_ip:={next(ADDRESSES)}"
        self.launch = LaunchProcess(
            folder, domain, "gensim2", *words, "robot:=fake", address, "task:=OpenDrawer", "seed:=3"
        )

    def strike(self, victim: str, how: signal.Signals) -> None:
        """Waits for the arm to move, sends the signal, and waits for the end of the launch."""
        found = self.launch.until(rf"\[{victim}-\d+\]: process started with pid \[(\d+)\]")
        self.launch.until_true(self._moves)
        self.began = time.time()
        os.kill(int(found[1]), how)
        if how is signal.SIGSTOP:
            # Once everybody else ends it would be killed, in the end; that takes long.
            self.launch.until(r"sending signal 'SIGINT' to process")
            os.kill(int(found[1]), signal.SIGCONT)
        self.code = self.launch.end()

    def _moves(self) -> bool:
        with self._client.news:
            newest = self._client.heard.get("joint_states", [])[-1:]
        return any(np.abs(m.velocity[:7]).max() > 0.1 for m in newest)

    def to_rest(self) -> tuple[float, float]:
        """Time from the blow to the last motion, s, and the longest way of a joint, rad.

        The last that is heard of the arm must be that it rests.
        """
        with self._client.news:
            states = list(self._client.heard["joint_states"])
        after = [m for m in states if seconds(m.header.stamp) >= self.began]
        moving = [i for i, m in enumerate(after) if np.abs(m.velocity[:7]).max() >= STILL]
        assert moving[-1] + 1 < len(after), f"it still moves:\n{self.launch.output}"
        rest = after[moving[-1] + 1]
        way = np.abs(np.subtract(rest.position[:7], after[0].position[:7])).max()
        return seconds(rest.header.stamp) - self.began, float(way)

    def close(self) -> None:
        """Ends what still runs."""
        self.launch.kill()
        self._client.close()


def strike(struck: Struck, victim: str, how: signal.Signals, note: Callable[..., None]) -> float:
    """Strikes, checks what holds of every blow, and returns the time to rest, s."""
    try:
        struck.strike(victim, how)
        took, way = struck.to_rest()
    finally:
        struck.close()
    print(f"{victim} {how.name}: at rest after {took:.2f} s and {way:.3f} rad")
    note(f"time to rest, {victim} {how.name}, s", round(took, 3))
    output = struck.launch.output
    assert struck.code != 0, output
    assert "Traceback" not in output, output
    if how is signal.SIGKILL:
        assert re.search(rf"{victim}-\d+ ended with exit code -9", output), output
    return took


@HOW
def test_a_lost_expert_stops_the_arm(
    tmp_path: Path, domain: int, how: signal.Signals, record_property: Callable[..., None]
) -> None:
    """It leads the arm: the driver stops without it, and nobody has to tell it to."""
    struck = Struck(tmp_path, domain, "real_deploy.launch.py", "obs:=state")
    took = strike(struck, "kpam_expert", how, record_property)
    assert took <= CONTROLLER_BOUND
    if how is signal.SIGSTOP:
        assert re.search(r"franka_driver\]: stopped by HEARTBEAT_LOST", struck.launch.output)
        assert re.search(r"deploy\]: kpam_expert/execute_task has gone", struck.launch.output)


@pytest.mark.parametrize("victim", ["episode_manager", "pointcloud_fusion", "realsense_camera"])
@HOW
def test_nothing_of_an_attempt_with_a_lost_recorder_or_eye_is_kept(
    tmp_path: Path,
    domain: int,
    victim: str,
    how: signal.Signals,
    record_property: Callable[..., None],
) -> None:
    """They do not lead the arm: one that is dead ends the job, a frozen one is noticed in time."""
    store = tmp_path / "data"
    words = ("real_collect.launch.py", "obs:=pointcloud", "num_points:=1024", "episodes:=1")
    struck = Struck(tmp_path, domain, *words, f"dataset:={store}")
    took = strike(struck, victim, how, record_property)
    if how is signal.SIGKILL:
        assert took <= CONTROLLER_BOUND
    else:
        name = r"\w+_camera" if victim == "realsense_camera" else victim
        said = rf"GRAPH_ERROR: nothing heard for \d+ s of {name}"
        assert re.search(said, struck.launch.output), struck.launch.output
    assert EpisodeStore(store).scan().episodes == ()
