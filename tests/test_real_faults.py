"""Whoever dies or freezes in the graph of a real robot, the arm comes to rest and it is told.

Over libfranka's protocol, with every node a process of its own. The times are printed, and stand
in docs/sim2real.md.
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
from sensor_msgs.msg import JointState

DOMAINS = iter(1 + (os.getpid() + 16 + i) % 95 for i in (0, 1, 3, 4, 7))
ADDRESSES = iter(f"127.{2 + os.getpid() % 250}.252.{i}" for i in range(1, 20))
CONTROLLER_BOUND = 1.0
"""Longest time to rest after the loss of a controller, s."""
STILL = 0.01
"""Speed of a joint that rests, rad/s."""


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

    def strike(self, victim: str, number: signal.Signals) -> None:
        """Waits for the arm to move, sends the signal, and waits for the end of the launch."""
        found = self.launch.until(rf"\[{victim}-\d+\]: process started with pid \[(\d+)\]")
        self.launch.until(r"\]: approach")
        self._client.wait("joint_states", lambda m: np.abs(m.velocity[:7]).max() > 0.1)
        self.began = time.time()
        os.kill(int(found[1]), number)
        self.code = self.launch.end()

    def to_rest(self) -> tuple[float, float]:
        """Time from the blow to the last motion, s, and the longest way of a joint, rad.

        The last that is heard of the arm must be that it rests.
        """
        with self._client.news:
            states: list[JointState] = list(self._client.heard["joint_states"])
        after = [m for m in states if seconds(m.header.stamp) >= self.began]
        moving = [i for i, m in enumerate(after) if np.abs(m.velocity[:7]).max() >= STILL]
        q = np.array([m.position[:7] for m in after])
        assert np.abs(after[-1].velocity[:7]).max() < STILL, self.launch.output
        last = after[moving[-1] + 1]
        way = float(np.abs(q[moving[-1] + 1] - q[0]).max())
        return seconds(last.header.stamp) - self.began, way

    def close(self) -> None:
        """Ends what still runs."""
        self.launch.kill()
        self._client.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=lambda s: s.name)
@pytest.mark.parametrize("victim", ["kpam_expert", "kpam_planner"])
def test_a_lost_expert_stops_the_arm(
    tmp_path: Path,
    domain: int,
    victim: str,
    how: signal.Signals,
    record_property: Callable[..., None],
) -> None:
    """It leads the arm."""
    struck = Struck(tmp_path, domain, "real_deploy.launch.py", "obs:=state")
    try:
        struck.strike(victim, how)
        took, way = struck.to_rest()
    finally:
        struck.close()
    print(struck.launch.output)
    print(f"{victim} {how.name}: at rest after {took:.3f} s and {way:.3f} rad, exit {struck.code}")
