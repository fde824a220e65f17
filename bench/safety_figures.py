"""Figures of the controlled stop, over `mock_robot` with real processes at half the joint speed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from body_client_node import ARM, BodyClient
from doomed_client_node import encode
from figures import BenchError, Figure, Settings, Spread
from gensim2_control.ros.conversions import trajectory_to_msg
from gensim2_control.trajectory import Trajectory
from processes import pick_domain
from safety_moves import SPEED, sweep

CLIENT_BOUND = 1.0  # s, a client that is gone
STREAM_BOUND = 0.3  # s, a command that is no command
ANSWER_BOUND = 0.1  # s, robot/stop
_ARRIVED = 0.01  # rad
_NEARLY = 0.97 * SPEED
_GUARD = 30.0
_CHUNK = 1.9  # s; a body takes streamed chunks of 2 s at most
_DOOMED = Path(__file__).with_name("doomed_client_node.py")


def measure_safety(settings: Settings) -> Iterator[Figure]:
    """Measures how soon the arm rests after a client is gone or sends nonsense, and stop."""
    count = settings.times(10, 2)
    domain = pick_domain(3)
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    with _mock_robot(environment, settings.folder / "mock_robot.log"):
        client = BodyClient(domain)
        try:
            client.connect()
            yield from _measure(settings, client, environment, count)
        finally:
            client.close()


def _measure(
    settings: Settings, client: BodyClient, environment: dict[str, str], count: int
) -> Iterator[Figure]:
    def repeat(name: str, label: str, bound: float, work: Callable[[], float]) -> list[Figure]:
        settings.say(f"safety: {label}, {count} times")
        times = []
        for _ in range(count):
            client.ready()
            times.append(work())
        spread = Spread(times)
        return spread.figures(f"safety.{name}", label, "s", "median", "worst", bound=bound)

    answers: list[float] = []
    for name, label, number in (
        ("killed", "client killed to rest", signal.SIGKILL),
        ("frozen", "client frozen to rest", signal.SIGSTOP),
    ):
        yield from repeat(name, label, CLIENT_BOUND, lambda n=number: _lose(client, environment, n))  # type: ignore[misc]
    for name, label, spoil in (
        ("nan", "streamed NaN to rest", _not_a_number),
        ("limit", "streamed position out of limits to rest", _out_of_limits),
    ):
        yield from repeat(name, label, STREAM_BOUND, lambda s=spoil: _spoil(client, s))  # type: ignore[misc]
    yield from repeat(
        "stop.rest", "robot/stop to rest", CLIENT_BOUND, lambda: _stop(client, answers)
    )
    yield from Spread(answers).figures(
        "safety.stop.answer", "robot/stop to its answer", "s", "median", "worst", bound=ANSWER_BOUND
    )


def _lose(client: BodyClient, environment: dict[str, str], number: signal.Signals) -> float:
    """A client process sends the goal and gets a signal; returns the time to rest, s."""
    trajectory = sweep(client.q())
    goal = encode(trajectory_to_msg(trajectory))
    process = subprocess.Popen(
        [sys.executable, str(_DOOMED), f"{ARM}/follow_joint_trajectory", goal], env=environment
    )
    try:
        began = client.cruising(_NEARLY)
        process.send_signal(number)
        took = client.rested_at(began) - began
    finally:
        process.kill()
        process.wait()
    _require_stopped(client, trajectory, "HEARTBEAT_LOST")
    return took


def _spoil(client: BodyClient, spoil: Callable[[Any], None]) -> float:
    """A stream leads the arm, then a chunk is bad; returns the time to rest, s."""
    chunk = sweep(client.q(), _CHUNK)
    client.stream(chunk)
    client.cruising(_NEARLY)
    began = client.stream(chunk, spoil)
    took = client.rested_at(began) - began
    _require_stopped(client, chunk)
    return took


def _stop(client: BodyClient, answers: list[float]) -> float:
    """A goal runs, then it is stopped; returns the time to rest, s, and notes the answer's."""
    trajectory = sweep(client.q())
    client.follow(trajectory)
    began = client.cruising(_NEARLY)
    answers.append(client.call("stop"))
    took = client.rested_at(began) - began
    _require_stopped(client, trajectory, "STOP_REQUESTED")
    return took


def _require_stopped(client: BodyClient, trajectory: Trajectory, fault: str = "") -> None:
    """Makes sure that the arm did not simply arrive.

    Raises:
        BenchError: It did, or the body does not report the fault.
    """
    if abs(float(client.q()[0]) - float(trajectory.q[-1, 0])) < _ARRIVED:
        raise BenchError("the arm was not stopped: it went on to the end of its motion")
    if fault and fault not in client.fault():
        raise BenchError(f"the body reports {client.fault() or 'nothing'}, expected {fault}")


def _not_a_number(message: Any) -> None:
    message.points[1].positions[3] = float("nan")


def _out_of_limits(message: Any) -> None:
    message.points[-1].positions[0] = 4.0


@contextmanager
def _mock_robot(environment: dict[str, str], log: Path) -> Iterator[None]:
    """Runs the node as a user does.

    Raises:
        BenchError: There is no command ros2.
    """
    command = shutil.which("ros2")
    if command is None:
        raise BenchError("there is no command ros2: run this as ./ws python bench")
    with log.open("w") as output:
        process = subprocess.Popen(
            [command, "run", "gensim2_control", "mock_robot"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    except BenchError as error:
        raise BenchError(f"{error}\nmock_robot said:\n{log.read_text()[-2000:]}") from error
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(_GUARD)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
