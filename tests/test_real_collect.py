"""Demonstrations of a person, recorded over the graph of the real robot with fake hardware."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "src" / "gensim2_control" / "test"))

from launch_process import LaunchProcess, ros2

pytest.importorskip("rclpy", reason="needs the workspace: run the tests with ./ws")

from gensim2_episodes.check import check_episode
from gensim2_episodes.store import EpisodeStore
from mock_process import Client, joined
from std_srvs.srv import SetBool

DOMAINS = iter(1 + (os.getpid() + 93 + i) % 95 for i in range(4))
ADDRESSES = iter(f"127.{2 + os.getpid() % 250}.253.{i}" for i in range(1, 9))
GUARD = 60.0


@pytest.fixture
def domain() -> Iterator[int]:
    """A domain of its own, in which this process is, too."""
    with joined(next(DOMAINS)) as number:
        yield number


def test_what_the_robot_does_is_recorded_and_a_person_says_if_it_was_a_success(
    tmp_path: Path, domain: int
) -> None:
    """Although nothing on the graph has the stamps of anything else."""
    client = Client(domain)
    store = tmp_path / "shown"
    launch = LaunchProcess(
        tmp_path,
        domain,
        *("gensim2", "real_collect.launch.py", "task:=OpenDrawer", "arrange:=true", "seed:=3"),
        *("obs:=state", "episodes:=1", f"dataset:={store}", f"robot_ip:={next(ADDRESSES)}"),
        "robot:=fake",
    )
    try:
        launch.until(r"put the objects of OpenDrawer where they are labelled")
        assert client.call("scene/ready").success
        launch.until(r"was it a success\?")
        verdict = client.node.create_client(SetBool, "scene/success")
        assert verdict.wait_for_service(GUARD)
        assert client.result(verdict.call_async(SetBool.Request(data=True))).success
        assert launch.end() == 0, launch.output
    finally:
        launch.kill()
        client.close()
    assert "Traceback" not in launch.output, launch.output
    episodes = EpisodeStore(store)
    (info,) = episodes.episodes()
    assert check_episode(episodes, info) == []
    assert info.manifest.recording.paced_by == "joint_states"
    reader = episodes.open_episode(info.episode_id)
    commanded = reader.read("action/joint_position")
    measured = reader.read("observation/joint_position")[:, :7]
    assert np.ptp(commanded, axis=0).max() > 0.3
    assert np.abs(measured - commanded).max() < 0.02


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("robot:=sim", "robot_ip:=10.0.0.1"), "has no address"),
        (("robot:=fake", "use_fake_hardware:=false"), "contradict each other"),
        (("robot:=real",), "needs the address of a robot"),
        (("robot:=virtual",), "robot"),
    ],
)
def test_contradictions_are_refused_at_once(arguments: tuple[str, ...], text: str) -> None:
    """Before a process starts."""
    words = [ros2(), "launch", "gensim2", "real_collect.launch.py", *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert text in output
    assert "process started" not in output


def test_a_keyboard_needs_a_terminal(domain: int) -> None:
    """From a launch file it would hear nothing, and nobody would know."""
    words = [ros2(), "run", "gensim2_teleop", "keyboard"]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "in a terminal of its own" in done.stdout + done.stderr
