"""Trajectories, streams and grips of any kind for a body over mock hardware, and what must hold.

A case depends on its seed alone: `run(seed)` makes a body, brings it into some state, sends one
input and lets time pass. Whatever is sent: references keep every limit. What is refused changes
nothing: the arm goes on as its twin does, which was sent nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from control_rig import PERIOD, Rig
from gensim2_control.goals import GoalRejected
from gensim2_control.hardware import ARM_JOINTS, FINGER_MAX, HOME_Q, JOINTS, Array
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory, point_to_point

LIMITS = JointLimits.fr3()
HOME = np.array(HOME_Q)
ODD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320, 0.0, -0.0, 1e6, -7.0, 600.0, 1e-9)
AHEAD = 6  # periods over which a refused input must change nothing
BREAKING = 140  # periods within which every stop has ended


@dataclass(frozen=True)
class Points:
    """What a trajectory is made of; anything may be wrong with it."""

    t: Any
    q: Any
    dq: Any = None
    ddq: Any = None


def valid_points(rng: np.random.Generator, start: Array) -> Points:
    """Points that are mostly fine: from the start, or close to it, to somewhere within limits."""
    reach = float(rng.choice([0.02, 0.2, 0.8]))
    target = np.clip(start + rng.uniform(-reach, reach, 7), LIMITS.q_min, LIMITS.q_max)
    begin = start + rng.uniform(-0.004, 0.004, 7) * rng.integers(2)
    gentle = LIMITS.reduced(velocity=rng.uniform(0.1, 0.9), acceleration=rng.uniform(0.1, 0.6))
    move = point_to_point(begin, target, gentle)
    count = int(rng.integers(2, 12))
    t = np.linspace(0.0, move.duration * rng.choice([0.9, 1.0, 1.5]), count)
    q, dq, ddq = move.sample(np.linspace(0.0, move.duration, count))
    if rng.random() < 0.3:
        t, q, dq, ddq = t[1:], q[1:], dq[1:], ddq[1:]
    dq = dq * (move.duration / max(float(t[-1]), 1e-3))
    kind = int(rng.integers(3))
    return Points(t, q, dq if kind else None, ddq if kind == 2 else None)


def random_points(rng: np.random.Generator) -> Points:
    """Points with nothing right but, sometimes, their sizes."""
    count, joints = int(rng.choice([0, 1, 2, 3, 9])), int(rng.choice([0, 1, 6, 7, 7, 7, 8]))
    span = float(rng.choice([0.1, 1.0, 4.0, 1e4]))

    def rows() -> Array:
        return rng.uniform(-span, span, (count, joints))

    t = np.sort(rng.uniform(0, 3, count)) if rng.random() < 0.7 else rng.normal(size=count)
    kind = int(rng.integers(4))
    return Points(t, rows(), rows() if kind else None, rows() if kind > 1 else None)


def mutated(rng: np.random.Generator, points: Points) -> Points:
    """The points with one or a few things changed."""
    fields: dict[str, Any] = {
        name: None if value is None else np.array(value, dtype=float)
        for name, value in vars(points).items()
    }
    for _ in range(int(rng.integers(1, 4))):
        name = str(rng.choice(["t", "q", "q", "dq", "ddq"]))
        array = fields[name]
        if array is None or array.size == 0:
            continue
        kind, flat = int(rng.integers(8)), array.reshape(-1)
        at = int(rng.integers(flat.size))
        scale = float(rng.choice([-1.0, 0.3, 3.0, 100.0, 1e-3]))
        if kind <= 1:
            flat[at] = rng.choice(ODD)
        elif kind == 2:
            flat[at] += rng.normal() * float(rng.choice([1e-6, 1e-3, 0.1, 3.0]))
        elif kind == 3:
            with np.errstate(over="ignore"):
                fields[name] = array * scale
        elif kind == 4:
            fields[name] = array[::-1]
        elif kind == 5:
            fields[name] = array[: int(rng.integers(len(array) + 1))]
        elif kind == 6:
            fields[name] = rng.permuted(array, axis=0)
        else:
            fields[name] = None if rng.random() < 0.5 else np.repeat(array, 2, axis=0)
    return Points(**fields)


def draw_points(rng: np.random.Generator, start: Array) -> Points:
    """Points of any kind."""
    kind = rng.random()
    if kind < 0.2:
        return random_points(rng)
    points = valid_points(rng, start)
    return points if kind < 0.4 else mutated(rng, points)


def draw_number(rng: np.random.Generator, usual: float) -> float:
    """A number near a usual one, or an odd one."""
    kind = rng.random()
    if kind < 0.3:
        return float(rng.choice(ODD))
    return float(rng.uniform(0, usual)) if kind < 0.8 else float(rng.normal() * usual)


class Bodies:
    """Runs cases of one way to send inputs.

    Args:
        send: Sends what is drawn to a rig; raises `GoalRejected` where it is refused.
    """

    def __init__(self, send: Callable[[np.random.Generator, Rig], None]) -> None:
        self._send = send

    def run(self, seed: int) -> bool:
        """Runs one case; True = the input was accepted.

        Raises:
            Exception: Anything but a refusal, or what must hold does not.
        """
        rng = np.random.default_rng(seed)
        script = int(rng.integers(2**31))
        rig = prepared(np.random.default_rng(script))
        try:
            self._send(rng, rig)
            accepted = True
        except GoalRejected as rejection:
            assert str(rejection).strip(), "a refusal without a reason"
            accepted = False
        rig.step(AHEAD)
        if not accepted and not rig.streaming:
            twin = prepared(np.random.default_rng(script))
            twin.step(AHEAD)
            same = [
                a[0] == b[0] and (a[1] == b[1]).all() and (a[2] == b[2]).all()
                for a, b in zip(rig.hardware.writes, twin.hardware.writes, strict=True)
            ]
            assert all(same), "what was refused changed the reference"
            assert (rig.state.q == twin.state.q).all(), "what was refused moved the robot"
        else:
            rig.step(int(rng.integers(1, 60)))
        rig.body.stop("the case ends")
        rig.step(BREAKING)
        assert not rig.body.busy, "a stop does not end"
        check_references(rig)
        return accepted


class FuzzRig(Rig):
    streaming = False


def prepared(rng: np.random.Generator) -> FuzzRig:
    """A body at rest, on its way, streamed to, or stopped."""
    near = np.clip(HOME + rng.uniform(-0.5, 0.5, 7), LIMITS.q_min + 0.01, LIMITS.q_max - 0.01)
    rig = FuzzRig(q=near, lag=0.0)
    state = rng.random()
    if state < 0.45:
        return rig
    if state < 0.65:
        target = np.clip(near + rng.uniform(-0.3, 0.3, 7), LIMITS.q_min, LIMITS.q_max)
        rig.body.follow(rig.move(*(target - rig.state.q_ref)))
    elif state < 0.8:
        target = near + rng.uniform(-0.1, 0.1, 7)
        # Where there is still some speed left: a stream has no time to creep up to the very end.
        target = np.clip(target, LIMITS.q_min + 0.01, LIMITS.q_max - 0.01)
        still = np.zeros((1, 7))
        rig.body.stream(Trajectory(np.array([1.0]), target[None], still))
        rig.streaming = True
    elif state < 0.9:
        rig.body.grip(float(rng.uniform(0, FINGER_MAX)))
    else:
        rig.body.stop("the case begins stopped")
    rig.step(int(rng.integers(1, 40)))
    return rig


def check_references(rig: Rig) -> None:
    """Every reference is finite and keeps position, speed, acceleration and jerk limits."""
    q = np.array([write[1] for write in rig.hardware.writes])
    dq = np.array([write[2] for write in rig.hardware.writes])
    assert np.isfinite(q).all() and np.isfinite(dq).all(), "a reference is not finite"
    assert LIMITS.contains(q, slack=1e-3), "position limit"
    assert (np.abs(np.diff(q, axis=0)) <= LIMITS.dq_max * PERIOD * 1.002).all(), "speed limit"
    bend = np.abs(np.diff(q, n=2, axis=0)) / PERIOD**2
    assert (bend <= LIMITS.ddq_max * 1.01 + 1e-6).all(), "acceleration limit"
    assert (np.abs(dq) <= LIMITS.dq_max * 1.002).all(), "speed limit of the velocity"
    lowest, highest = LIMITS.speed_bounds(q)
    slow = (dq <= highest * 1.002 + 2e-3) & (dq >= lowest * 1.002 - 2e-3)
    assert slow.all(), "speed limit near the end of a joint"
    assert (np.abs(np.diff(q, n=3, axis=0)) <= LIMITS.dddq_max * PERIOD**3).all(), "jerk limit"
    finger = rig.hardware._finger
    assert 0.0 <= finger <= FINGER_MAX + 1e-4 and 0.0 <= rig.hardware._finger_goal <= FINGER_MAX


def send_follow(rng: np.random.Generator, rig: Rig) -> None:
    """`Body.follow` with points and tolerances."""
    points = draw_points(rng, rig.state.q_ref)
    tolerances: list[Any] = [None, None, None]
    if rng.random() < 0.3:
        tolerances[int(rng.integers(3))] = draw_number(rng, 0.1)
    rig.body.follow(Trajectory(points.t, points.q, points.dq, points.ddq), *tolerances)


def send_stream(rng: np.random.Generator, rig: Rig) -> None:
    """`Body.stream` with points and a stamp."""
    points = draw_points(rng, rig.state.q_ref)
    stamp = 0.0 if rng.random() < 0.6 else rig.state.t - draw_number(rng, 0.3)
    trajectory = Trajectory(points.t, points.q, points.dq, points.ddq)
    rig.body.stream(trajectory, stamp)


def send_grip(rng: np.random.Generator, rig: Rig) -> None:
    """`Body.grip` with any numbers; what is refused must not reach the fingers."""
    before = rig.hardware._finger_goal
    try:
        rig.body.grip(draw_number(rng, FINGER_MAX), draw_number(rng, 70.0))
    except GoalRejected:
        assert rig.hardware._finger_goal == before
        raise


def joint_names(rng: np.random.Generator) -> list[str]:
    """The joints in some order, or nearly."""
    names = list(ARM_JOINTS)
    kind = int(rng.integers(8))
    if kind == 0:
        names[int(rng.integers(7))] = str(rng.choice(["", "fr3_joint8", "fr3_joint1", "panda_j"]))
    elif kind == 1:
        names = list(JOINTS)
    elif kind == 2:
        names = names[: int(rng.integers(7))]
    elif kind in (3, 4):
        names = [str(n) for n in rng.permutation(names)]
    return names


class Family:
    """Inputs of the body; a fifth of them grips.

    Args:
        _scratch: A folder that may be written to.
    """

    name = "trajectories"

    def __init__(self, _scratch: Path) -> None:
        self._ways = [Bodies(send) for send in (send_follow, send_stream, send_grip)]
        try:
            from control_fuzz_messages import send_goal, send_message
        except ImportError as error:  # without ROS there are no messages to send
            print(json.dumps({"note": f"no messages: {error}"}), flush=True)
        else:
            self._ways += [Bodies(send_goal), Bodies(send_message)]

    def run(self, seed: int) -> bool:
        """Runs one case; True = accepted."""
        return self._ways[seed % len(self._ways)].run(seed)
