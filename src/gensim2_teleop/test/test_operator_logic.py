"""Keys, twists and the course of a demonstration, without ROS."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics
from gensim2_control.limits import JointLimits
from gensim2_control.trajectory import Trajectory
from gensim2_teleop.demonstration import BodyNews, DriveConfig, End, drive
from gensim2_teleop.keys import HELP, MOVES, REQUESTS, Keys, Request
from gensim2_teleop.servo import Servo, ServoConfig
from gensim2_teleop.spacemouse import twist_of
from gensim2_teleop.twist_input import TwistError, Wanted

URDF = Path(__file__).parents[3] / "launch" / "urdf" / "fr3.urdf"
KINEMATICS = Fr3Kinematics.from_urdf(URDF.read_text())
PERIOD = 0.05


def test_a_key_moves_along_its_axis_until_it_is_let_go() -> None:
    for key, (axis, sign) in MOVES.items():
        keys = Keys(hold=0.5)
        keys.press(key, 1.0)
        twist = keys.twist(1.4)
        assert np.sign(twist[axis]) == sign and np.count_nonzero(twist) == 1
        assert not keys.twist(1.51).any()


def test_the_other_direction_counts_at_once_and_two_axes_go_together() -> None:
    keys = Keys(hold=0.5)
    keys.press("w", 0.0)
    keys.press("a", 0.1)
    keys.press("s", 0.2)
    assert keys.twist(0.2)[0] < 0 < keys.twist(0.2)[1]


def test_the_space_bar_stops_the_robot_and_the_motion() -> None:
    keys = Keys(hold=0.5)
    keys.press("w", 0.0)
    assert keys.press(" ", 0.1).request is Request.STOP
    assert not keys.twist(0.1).any()


def test_every_key_is_in_the_help() -> None:
    names = {"\r": "Enter", "\n": "Enter", " ": "space"}
    for key in (*MOVES, *REQUESTS, "g", "f", "+", "-", "?"):
        assert names.get(key, key) in HELP


def test_a_twist_of_the_hand_turns_with_it() -> None:
    T_base_tcp = KINEMATICS.fk(np.array(HOME_Q))
    forward = np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0])
    in_base = Wanted(forward, TCP_LINK, 1.0).in_base(T_base_tcp, 1.1, 0.25)
    np.testing.assert_allclose(in_base[:3], 0.1 * T_base_tcp[:3, 2])
    assert in_base[2] < -0.09, "the hand looks down"
    assert not Wanted(forward, "base", 1.0).in_base(T_base_tcp, 1.3, 0.25).any()


@pytest.mark.parametrize(("twist", "frame"), [([0.0] * 6, "camera"), ([np.inf] * 6, "base")])
def test_a_twist_that_cannot_be_meant_is_left_out(twist: list[float], frame: str) -> None:
    with pytest.raises(TwistError, match="left out"):
        Wanted(np.array(twist), frame, 0.0)


def test_a_cap_moves_no_axis_that_it_is_hardly_pushed_along() -> None:
    cap = SimpleNamespace(x=1.0, y=-0.05, z=0.55, roll=0.0, pitch=-1.2, yaw=0.09)
    twist = twist_of(cap, 0.2, 0.5, dead=0.1)
    np.testing.assert_allclose(twist, [0.2, 0.0, 0.1, 0.0, -0.5, 0.0])


@dataclass
class Script:
    """An operator who follows a script, and a body that does what it is told."""

    twists: dict[int, tuple[float, ...]]
    ends_at: int
    end: End = End.DONE
    faults: dict[int, str] = field(default_factory=dict)
    deaf_from: int = 10**6
    n: int = 0
    sent: list[Trajectory] = field(default_factory=list)
    q: Array = field(default_factory=lambda: np.array(HOME_Q))
    moving: tuple[Trajectory, float] | None = None
    told: list[str] = field(default_factory=list)

    def now(self) -> float:
        return self.n * PERIOD

    def body(self) -> BodyNews:
        dq = np.zeros(7)
        if self.moving is not None:
            chunk, began = self.moving
            self.q, dq, _ = chunk.sample(self.now() - began)
        age = 0.0 if self.n < self.deaf_from else (self.n - self.deaf_from) * PERIOD
        return BodyNews(self.q, dq, self.now(), age, self.faults.get(self.n, ""))

    def wanted(self) -> Wanted | None:
        if self.n not in self.twists:
            return None
        return Wanted(np.array(self.twists[self.n]), "base", self.now())

    def T_base_tcp(self, q: Array) -> Array:
        return KINEMATICS.fk(q)

    def send(self, chunk: Trajectory, t: float) -> None:
        self.sent.append(chunk)
        q, dq, _ = (
            self.moving[0].sample(self.now() - self.moving[1])
            if self.moving
            else (
                self.q,
                np.zeros(7),
                None,
            )
        )
        self.moving = chunk.starting_at(q, dq), self.now()

    def asked_to_end(self) -> End | None:
        return self.end if self.n >= self.ends_at else None

    def tell(self, text: str) -> None:
        self.told.append(text)

    def pause(self) -> None:
        self.n += 1
        assert self.n < 10_000


def run(script: Script, timeout: float = 60.0) -> tuple[End, str]:
    servo = Servo(KINEMATICS, JointLimits.fr3(), ServoConfig())
    return drive(servo, script, DriveConfig(timeout=timeout), script.pause)


UP = {n: (0.0, 0.0, 0.1, 0.0, 0.0, 0.0) for n in range(5, 25)}


def test_a_demonstration_moves_the_arm_and_ends_at_rest_when_the_operator_says_so() -> None:
    script = Script(UP, ends_at=20)
    before = KINEMATICS.fk(script.q)[2, 3]
    assert run(script) == (End.DONE, "")
    assert 0.05 < KINEMATICS.fk(script.q)[2, 3] - before < 0.12
    assert script.n > 20, "it waits until the arm rests"
    assert script.sent[-1].dq is not None and np.abs(script.sent[-1].dq[-1]).max() < 1e-9


def test_what_ends_a_demonstration_before_its_operator() -> None:
    assert run(Script(UP, 10**6), timeout=3.0)[0] is End.TIMEOUT
    assert run(Script(UP, 30, End.CANCELED)) == (End.CANCELED, "cancelled")
    end, text = run(Script(UP, 10**6, faults={12: "joint_reflex"}))
    assert (end, text) == (End.EXECUTION_FAILED, "joint_reflex")
    end, text = run(Script(UP, 10**6, deaf_from=10))
    assert end is End.SENSOR_STALE and "no word from the robot" in text


def test_after_a_refused_chunk_it_goes_on_from_where_the_arm_is() -> None:
    """The body ends a stream that it refuses; what follows must not leap back to the plan."""

    class Refusing(Script):
        def send(self, chunk: Trajectory, t: float) -> None:
            self.sent.append(chunk)
            if self.n >= 60:
                super().send(chunk, t)

    script = Refusing(UP | {n: UP[5] for n in range(60, 70)}, ends_at=75)
    assert run(script)[0] is End.DONE
    first = next(c for c in script.sent[20:] if np.abs(c.q[0] - np.array(HOME_Q)).max() < 1e-3)
    assert first is not None
