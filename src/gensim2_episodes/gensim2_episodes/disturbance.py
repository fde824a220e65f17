"""Spoils an episode in the middle, once, so that it can be seen whether an expert recovers."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
from gensim2_kpam.expert import ACTUATE, SETTLE
from gensim2_sim_bridge.simulation import Simulation
from gensim2_tasks.predicates import OpennessAbove, OpennessBelow
from numpy.typing import NDArray

from gensim2_episodes.manifest import JsonObject

Array = NDArray[np.float64]
PROGRESS = 0.5  # share of the way to its goal that an object has come when it is disturbed
BLOW_TIME = 0.3  # s in which a blow would bring a joint back to where it was, if nothing held it
SHOVE_TIME = 0.15  # s for which a free body is shoved, whatever holds it
SHOVE_SPEED = 0.8  # m/s across the way it is meant to go
KNOCK_SPEED = 0.5  # m/s downwards, of what is held
PERIOD = 10  # steps of the physics between two looks

Free = Callable[[str, float], bool]


class DisturbanceKind(str, Enum):
    """How an episode is spoiled.

    Attributes:
        CLOSE: The joint of the object is where it was at the start again, as when it slips off the
            hand: where the hand is in its way, later or not at all.
        PUSH: The object gets a blow: its joint back towards the start, a free body to the side, and
            what is held out of the fingers.
    """

    CLOSE = "close"
    PUSH = "push"

    def __str__(self) -> str:
        return self.value


class Disturbance:
    """One disturbance of an episode: of what is held first, or of the first sub-task's object.

    Args:
        kind: What is done.
        simulation: The simulation, right after a reset.
        seed: Of the direction of a shove.
        free: Whether an object may be at a joint position, given its name: nothing of the robot is
            there.

    Attributes:
        stage: What the expert is about; to be kept up to date.
        record: What has been done, for the record; None = nothing yet.
    """

    def __init__(
        self, kind: DisturbanceKind, simulation: Simulation, seed: int, free: Free
    ) -> None:
        assert simulation.drawn is not None
        self.kind, self._simulation, self._free = kind, simulation, free
        self.stage = ""
        self.record: JsonObject | None = None
        task = simulation.drawn.task
        picks = [i for i, s in enumerate(task.subtasks) if s.skill == "pick"]
        self._pick = picks[0] if picks and kind is DisturbanceKind.PUSH else None
        number = self._pick or 0
        self._name = task.subtasks[number].object
        self._start_q = simulation.world.joint_state(self._name)[0]
        self._start = simulation.world.observations()[self._name].openness
        self._goal = next(
            (
                p.value
                for p in task.done_conditions[number].predicates
                if isinstance(p, OpennessAbove | OpennessBelow) and p.object == self._name
            ),
            None,
        )
        self._side = float(np.random.default_rng(seed).choice([-1.0, 1.0]))
        self._velocity: Array | None = None
        self._shoved = 0

    def step(self) -> None:
        """Does it where it is due; called after every step of the physics."""
        world = self._simulation.world
        if self._velocity is not None and self._shoved < SHOVE_TIME * self._simulation.rate:
            self._shoved += 1
            world.shove(self._name, self._velocity)
        if self.record is not None or world.steps % PERIOD or not self._due():
            return
        q = world.joint_state(self._name)[0]
        done: JsonObject
        if world.is_free(self._name):
            self._velocity = self._shove()
            done = {"velocity": [float(v) for v in self._velocity]}
        elif self.kind is DisturbanceKind.PUSH:
            speed = (self._start_q - q) / BLOW_TIME
            world.blow(self._name, speed)
            done = {"joint_velocity": speed}
        elif self._free(self._name, self._start_q):
            world.set_object(self._name, self._start_q)
            done = {"joint_position": self._start_q}
        else:
            return
        self.record = {
            "kind": str(self.kind),
            "object": self._name,
            "t": world.t,
            "stage": self.stage,
            **done,
        }

    def _due(self) -> bool:
        """Whether the object is held, or has come some way towards its goal."""
        if self._pick is not None:
            monitor = self._simulation.monitor
            return monitor is not None and monitor.done[self._pick]
        if self._goal is None or self.stage not in (ACTUATE, SETTLE):
            return False
        openness = self._simulation.world.observations()[self._name].openness
        return (openness - self._start) / (self._goal - self._start) >= PROGRESS

    def _shove(self) -> Array:
        """A velocity across the way the object is meant to go, or down where it is held."""
        world = self._simulation.world
        if self._pick is not None:
            return np.array([0.0, 0.0, -KNOCK_SPEED])
        placed = next(o for o in world.objects if o.name == self._name)
        way = placed.T_base_root[:3, :3] @ placed.asset.tree.axis_in_root()[1]
        across = np.cross(way, [0.0, 0.0, 1.0])
        if np.linalg.norm(across) < 0.5:  # It is meant to go up.
            across = np.array([0.0, 1.0, 0.0])
        return np.asarray(self._side * SHOVE_SPEED * across / np.linalg.norm(across))
