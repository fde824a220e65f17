"""A driver that dies or hangs: the robot's own watch on its commands ends the motion."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: run the tests with ./ws")

from franka_processes import FrankaClient, start_driver, start_fake
from mock_process import GUARD, graph_environment

from gensim2_msgs.msg import RobotStatus

DOMAINS = iter(1 + (os.getpid() + 50 + i) % 95 for i in range(3))
ADDRESSES = iter(f"127.{2 + os.getpid() % 250}.253.{i}" for i in range(2, 9))


@dataclass
class Cell:
    """Fake robot, driver and client on a domain of their own."""

    domain: int
    address: str
    fake: subprocess.Popen[str]
    driver: subprocess.Popen[str]
    client: FrankaClient


@pytest.fixture
def cell() -> Iterator[Cell]:
    domain, address = next(DOMAINS), next(ADDRESSES)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in graph_environment(domain).items():
            patch.setenv(name, value)
        fake, driver = start_fake(domain, address), start_driver(domain, address)
        made = Cell(domain, address, fake, driver, FrankaClient(domain))
        yield made
        made.client.close()
        for process in (made.driver, made.fake):
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=GUARD)
            assert "Traceback" not in output, output


def begin_motion(client: FrankaClient) -> None:
    """Move joint 1, and wait until it does."""
    client.status(RobotStatus.IDLE, motion_possible=True)
    handle = client.send(client.move(1.0))
    assert handle.accepted
    client.wait("joint_states", lambda m: m.velocity[0] > 0.1)


def require_rest(client: FrankaClient) -> None:
    """Fail where the arm still moves once it has come to rest."""
    client.wait("joint_states", lambda m: np.abs(m.velocity[:7]).max() < 0.01, fresh=True)
    rested = client.q()
    threading.Event().wait(0.3)
    np.testing.assert_allclose(client.q(), rested, atol=2e-3)


def test_after_a_killed_driver_the_next_one_finds_an_arm_at_rest(cell: Cell) -> None:
    begin_motion(cell.client)
    cell.driver.kill()
    cell.driver.communicate(timeout=GUARD)
    with cell.client.news:
        cell.client.heard.clear()
    cell.driver = start_driver(cell.domain, cell.address)
    cell.client.wait("robot_status", lambda m: not m.in_motion)
    deadline = time.monotonic() + GUARD
    while not (answer := cell.client.call("robot/recover")).success:
        assert time.monotonic() < deadline, answer.message
    cell.client.status(RobotStatus.IDLE)
    require_rest(cell.client)


def test_a_frozen_driver_says_what_happened_when_it_is_back(cell: Cell) -> None:
    begin_motion(cell.client)
    cell.driver.send_signal(signal.SIGSTOP)
    threading.Event().wait(1.0)
    cell.driver.send_signal(signal.SIGCONT)
    status = cell.client.wait("robot_status", lambda m: m.mode == RobotStatus.REFLEX)
    assert not status.motion_possible
    assert "communication_constraints_violation" in status.errors
    require_rest(cell.client)
