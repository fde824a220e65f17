"""The simulated cell: world, body, judge and cameras, stepped together.

The node and the transport-free batch runner both drive this class, so an episode is the same on
either. Time is simulation time in s; it advances only in ``tick``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gensim2_control.body import Body
from gensim2_control.body_state import BodyState
from gensim2_tasks.assets import PROCEDURAL, AssetError, AssetLibrary
from gensim2_tasks.catalogue import TaskError, load_task
from gensim2_tasks.placement import Start, draw_scene
from gensim2_tasks.predicates import SuccessCondition, SuccessMonitor
from gensim2_tasks.specs import TaskSpec
from numpy.typing import NDArray

from .world import SceneError, World

Array = NDArray[np.float64]
MAX_DRAWS = 20
SETTLE_STEPS = 20


class ResetError(RuntimeError):
    """The scene could not be set up; ``code`` is a constant of gensim2_msgs/srv/ResetScene."""

    UNKNOWN_TASK, UNKNOWN_ASSET, BAD_ASSET, SCENE_INFEASIBLE, ROBOT_BUSY = range(1, 6)

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Drawn:
    """What a reset has drawn."""

    task: TaskSpec
    seed: int
    draws: int
    parameters: dict[str, Any]


class Simulation:
    """World, body and judge.

    Args:
        world: The world.
        body: Controllers over a ``SapienHardware`` of that world.
        library: Where assets come from.
        observation_steps: Physics steps between two observations; episodes begin on one.
    """

    def __init__(
        self, world: World, body: Body, library: AssetLibrary, observation_steps: int
    ) -> None:
        self.world = world
        self.body = body
        self.library = library
        self.observation_steps = observation_steps
        self.monitor: SuccessMonitor | None = None
        self.drawn: Drawn | None = None
        self.reset_count = 0

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, start: Start = "task"
    ) -> Drawn:
        """Draws and builds the scene of a task, with the robot at home.

        The scene depends on the arguments only. A draw that overlaps the robot is drawn again.
        ``start`` says how far the objects are open.

        Raises:
            ResetError: Unknown task or asset, unusable asset, no free placement, robot busy.
        """
        if self.body.busy:
            raise ResetError(ResetError.ROBOT_BUSY, "a goal is running; cancel it or wait")
        state = self.body.state
        if state is not None and state.error_code:
            raise ResetError(
                ResetError.ROBOT_BUSY,
                f"the robot is stopped ({state.reason}); call robot/recover first",
            )
        try:
            spec = load_task(task)
        except TaskError as error:
            raise ResetError(ResetError.UNKNOWN_TASK, str(error)) from None
        rng = np.random.default_rng(seed)
        why, former = "", self.world.scene
        for draw in range(1, MAX_DRAWS + 1):
            try:
                objects = draw_scene(
                    spec, self.library, rng, asset=asset, randomize=randomize, start=start
                )
                self._align()
                self.world.reset(objects)
            except AssetError as error:
                if self.world.scene is not former:
                    self._clear()
                unknown = asset and not self._exists(spec, asset)
                code = ResetError.UNKNOWN_ASSET if unknown else ResetError.BAD_ASSET
                raise ResetError(code, str(error)) from None
            except SceneError as error:
                why = str(error)
                continue
            self._begin(spec.success)
            parameters = {
                "asset": asset,
                "randomize": randomize,
                "start": start,
                "draws": draw,
                "rates": {"physics": self.rate, "control": self.rate},
                "objects": {o.name: o.parameters() for o in objects},
                "assets": {o.name: self.library.describe(o.asset.ref) for o in objects},
            }
            self.drawn = Drawn(spec, seed, draw, parameters)
            self.reset_count += 1
            return self.drawn
        self._clear()
        raise ResetError(
            ResetError.SCENE_INFEASIBLE, f"no free placement in {MAX_DRAWS} draws: {why}"
        )

    def _clear(self) -> None:
        """Leaves the robot alone: the former scene is gone and there is no new one."""
        self.world.reset(())
        self._begin(None)

    def _exists(self, spec: TaskSpec, asset: str) -> bool:
        """Whether an asset that a user named is there at all, usable or not."""
        try:
            ref = self.library.find(spec.objects[0].category, asset)
        except AssetError:
            return False
        if ref.source == PROCEDURAL:
            return ref.key.isdigit()
        return ref.key in self.library.keys(ref.category)

    def _align(self) -> None:
        """Starts every episode on an observation, whatever was before: it is part of the record."""
        world = self.world
        world.steps = -(-world.steps // self.observation_steps) * self.observation_steps

    def _begin(self, condition: SuccessCondition | None) -> None:
        for _ in range(SETTLE_STEPS):
            self.world.step()
        self._align()
        self.monitor = None if condition is None else SuccessMonitor(condition)
        self.body.reseed()
        self.body.update()
        self._judge()

    def _judge(self) -> None:
        if self.monitor is not None:
            self.monitor.update(self.world.t, self.world.observations())

    @property
    def rate(self) -> float:
        """Physics steps and control periods per simulated second."""
        return 1.0 / self.world.config.time_step

    @property
    def observation_due(self) -> bool:
        """Whether the present step is one of an observation."""
        return self.world.steps % self.observation_steps == 0

    def control(self) -> BodyState | None:
        """Runs the controllers at the present time; ``advance`` follows."""
        return self.body.update()

    def advance(self) -> None:
        """Steps the physics once and judges."""
        self.world.step()
        self._judge()

    def tick(self) -> BodyState | None:
        """One control period without anything in between."""
        state = self.control()
        self.advance()
        return state
