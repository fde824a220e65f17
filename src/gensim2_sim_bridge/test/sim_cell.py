"""A simulated body that time passes for only when a test says so."""

from __future__ import annotations

from gensim2_control.body import Body
from gensim2_control.body_state import BodyState
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.world import World, WorldConfig


class Cell:
    """A body over a world, stepped together as a host does."""

    def __init__(self, urdf: str) -> None:
        self.world = World(urdf, WorldConfig(render=False))
        self.body = Body(SapienHardware(self.world))
        self.body.update()

    @property
    def state(self) -> BodyState:
        assert self.body.state is not None
        return self.body.state

    def step(self) -> BodyState:
        self.world.step()
        self.body.update()
        return self.state

    def run(self, longest: float = 20.0) -> list[BodyState]:
        """Step until the body is idle; fail after `longest` s."""
        states: list[BodyState] = []
        while self.body.busy:
            states.append(self.step())
            assert len(states) < longest / self.world.config.time_step, f"still busy: {states[-1]}"
        return states
