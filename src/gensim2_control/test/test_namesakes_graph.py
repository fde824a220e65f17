"""Of two nodes of one name the second does not start: goals would reach both of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from mock_process import GUARD, graph_environment

DOMAIN = 1 + (os.getpid() + 40) % 95
NODE = """
import sys
from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.run import run_node
from rclpy.node import Node

class Cook(Node):
    def __init__(self):
        super().__init__("cook")
        self.diagnostics = NodeDiagnostics(self, lambda: {"oven": Report(Level.OK, "on")})

    def start(self, ended):
        print("ready", flush=True)

sys.exit(run_node(Cook, unique=__UNIQUE__))
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts nodes, which forget a dead one sooner than usual."""
    environment = graph_environment(DOMAIN)
    usual = Path(environment["FASTRTPS_DEFAULT_PROFILES_FILE"]).read_text(encoding="utf-8")
    profile = tmp_path / "profile.xml"
    profile.write_text(usual.replace("<sec>20</sec>", "<sec>2</sec>"), encoding="utf-8")
    environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(profile)
    processes: list[subprocess.Popen[str]] = []

    def start(*words: str, unique: bool = True) -> subprocess.Popen[str]:
        program = NODE.replace("__UNIQUE__", str(unique))
        process = subprocess.Popen(
            [sys.executable, "-c", program, "--ros-args", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate(timeout=GUARD)


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while (line := process.stdout.readline()) and line != "ready\n":
        pass
    assert line, "it has ended"


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0, output
    return output


def test_the_second_one_does_not_start_and_the_first_goes_on(start: Start) -> None:
    first = start()
    ready(first)
    second = start()
    output, _ = second.communicate(timeout=GUARD)
    assert second.returncode == 1, output
    error = next(line for line in output.splitlines() if line.startswith("error: "))
    assert "another node /cook is there: two graphs on one domain" in error
    assert f"ROS_DOMAIN_ID is {DOMAIN}" in error and "namespace" in error
    assert "ready" not in output and "Traceback" not in output
    end(first)


@pytest.mark.parametrize("words", [("-r", "__ns:=/left"), ("-r", "__node:=chef")], ids=str)
def test_another_name_is_another_node(start: Start, words: tuple[str, ...]) -> None:
    first = start()
    ready(first)
    second = start(*words)
    ready(second)
    end(second)
    end(first)


def test_who_may_have_namesakes_starts_at_once(start: Start) -> None:
    first = start(unique=False)
    ready(first)
    second = start(unique=False)
    ready(second)
    end(second)
    end(first)


def test_a_killed_one_is_waited_for_unless_the_operator_has_enough(start: Start) -> None:
    """Whoever lived when it was killed sees it until its lease ends."""
    first = start("-r", "/diagnostics:=/elsewhere")
    ready(first)
    second = start()
    assert second.stdout is not None
    while "in case it was killed just now" not in second.stdout.readline():
        assert second.poll() is None
    assert "ready" not in end(second)
    third = start()
    assert third.stdout is not None
    while "in case it was killed just now" not in third.stdout.readline():
        assert third.poll() is None
    first.kill()
    ready(third)
    end(third)
