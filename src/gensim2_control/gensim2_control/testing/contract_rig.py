"""A body over some hardware that time passes for only when a test says so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from gensim2_control.body import Body
from gensim2_control.body_state import BodyState
from gensim2_control.hardware import ARM_DOF, Array
from gensim2_control.limits import Workspace
from gensim2_control.trajectory import Trajectory, point_to_point

WORKSPACE = Workspace((-0.75, -0.75, -0.1), (0.75, 0.75, 1.1))
"""The box of the bodies of all rigs, m in base."""


class ContractRig(ABC):
    """What `BodyContract` needs of a hardware: to let time pass, and to put things in the way.

    Attributes:
        body: the body, at home with open fingers, updated once, with `WORKSPACE` as workspace.
    """

    body: Body

    @abstractmethod
    def advance(self) -> None:
        """Let one control period of hardware time pass, without an update of the body."""

    @abstractmethod
    def place_object(self, finger_position: float) -> None:
        """Put something between the open fingers that stops them at a joint position, m."""

    @abstractmethod
    def hold_up(self) -> None:
        """Put something in the way of the arm: from home, `fr3_joint2` cannot move by +0.6 rad."""

    @property
    def state(self) -> BodyState:
        """State of the last update."""
        assert self.body.state is not None
        return self.body.state

    @property
    def period(self) -> float:
        """Control period, s."""
        return self.body.config.control_period

    def step(self, count: int = 1) -> list[BodyState]:
        """Let control periods pass; return the state of each."""
        states = []
        for _ in range(count):
            self.advance()
            self.body.update()
            states.append(self.state)
        return states

    def run(
        self, longest: float = 20.0, until: Callable[[BodyState], bool] | None = None
    ) -> list[BodyState]:
        """Step until the body is idle, or `until` holds; fail after `longest` s."""
        states: list[BodyState] = []
        while not (until(self.state) if until is not None else not self.body.busy):
            states += self.step()
            assert len(states) * self.period < longest, f"not after {longest} s: {self.state}"
        return states

    def move(self, *offsets: float, speed: float = 0.5) -> Trajectory:
        """Return a move from the reference by offsets of the first joints, rad.

        `speed` is the share of the speed and acceleration limits.
        """
        target = self.state.q_ref + np.pad(np.array(offsets), (0, ARM_DOF - len(offsets)))
        limits = self.body.limits.reduced(velocity=speed, acceleration=speed)
        return point_to_point(self.state.q_ref, target, limits)

    def cruise(self, joint: int, speed: float, duration: float) -> Trajectory:
        """Return a chunk that takes a joint (0 to 6) from rest to a speed and keeps it.

        Args:
            joint: index of the joint.
            speed: rad/s, with sign.
            duration: time at that speed, s.
        """
        rise = abs(speed) / (0.9 * self.body.limits.ddq_max[joint])
        axis = np.eye(ARM_DOF)[joint] * speed
        cruising = np.linspace(0.0, duration, 5)
        q = self.state.q_ref + np.outer(0.5 * rise + cruising, axis)
        return Trajectory(rise + cruising, q, np.tile(axis, (5, 1)))


def require_smooth(rig: ContractRig, states: list[BodyState]) -> None:
    """Fail where the references of successive updates jump or break a limit."""
    limits, period = rig.body.limits, rig.period
    q: Array = np.array([state.q_ref for state in states])
    dq: Array = np.array([state.dq_ref for state in states])
    assert np.isfinite(q).all() and np.isfinite(dq).all()
    assert (np.abs(np.diff(q, axis=0)) <= limits.dq_max * period * 1.01 + 1e-9).all()
    assert (np.abs(np.diff(dq, axis=0)) <= limits.ddq_max * period * 1.01 + 1e-9).all()
    assert (np.abs([state.ddq_ref for state in states]) <= limits.ddq_max * 1.01 + 1e-9).all()
