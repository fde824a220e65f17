"""A body over a mock robot that time passes for only when a test says so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gensim2_control.body import Body
from gensim2_control.body_state import BodyState
from gensim2_control.config import BodyConfig
from gensim2_control.hardware import Array
from gensim2_control.limits import JointLimits
from gensim2_control.mock_hardware import MockHardware
from gensim2_control.trajectory import Trajectory, point_to_point

PERIOD = 0.005


class RecordingHardware(MockHardware):
    """Keeps every reference it is given, with the time."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.writes: list[tuple[float, Array, Array]] = []

    def write(self, q_ref: Array, dq_ref: Array) -> None:
        super().write(q_ref, dq_ref)
        self.writes.append((self._t, q_ref.copy(), dq_ref.copy()))


class Rig:
    """Steps hardware and body together, as a host does."""

    def __init__(self, config: BodyConfig | None = None, **hardware: object) -> None:
        self.hardware = RecordingHardware(**hardware)
        self.hardware.connect()
        self.body = Body(self.hardware, config=config)
        self.body.update()

    @property
    def state(self) -> BodyState:
        assert self.body.state is not None
        return self.body.state

    @property
    def q(self) -> Array:
        return self.state.q[:7]

    def step(self, count: int = 1) -> BodyState:
        for _ in range(count):
            self.hardware.step(PERIOD)
            self.body.update()
        return self.state

    def run(self, longest: float = 60.0, until: Callable[[], bool] | None = None) -> BodyState:
        """Step until the body is idle, or `until` is true; fail after `longest` s."""
        done = until or (lambda: not self.body.busy)
        for _ in range(round(longest / PERIOD)):
            if done():
                return self.state
            self.step()
        raise AssertionError(f"still busy after {longest} s: {self.state}")

    def move(self, *offsets: float, velocity: float = 0.5, acceleration: float = 0.5) -> Trajectory:
        """Return a move from the present reference by offsets of the first joints, rad."""
        target = self.state.q_ref + np.pad(np.array(offsets), (0, 7 - len(offsets)))
        gentle = JointLimits.fr3().reduced(velocity=velocity, acceleration=acceleration)
        return point_to_point(self.state.q_ref, target, gentle)
