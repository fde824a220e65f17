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
from gensim2_tasks.clutter import draw_clutter
from gensim2_tasks.conditions import clutter_rng, draw_conditions
from gensim2_tasks.gensim2_judge import GENSIM2, PREDICATES, Gensim2Monitor
from gensim2_tasks.monitor import TaskMonitor
from gensim2_tasks.placement import NoRoomError, PlacedObject, Start, draw_scene
from gensim2_tasks.randomisation import AS_THE_TASK_SAYS, Variation
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
        judge: Who says what a success is: one of `gensim2_judge.JUDGES`.
        variation: What is randomised beside where objects stand.
        cameras: Names of the cameras, for the record.
    """

    def __init__(
        self,
        world: World,
        body: Body,
        library: AssetLibrary,
        observation_steps: int,
        judge: str = PREDICATES,
        variation: Variation = AS_THE_TASK_SAYS,
        cameras: tuple[str, ...] = (),
    ) -> None:
        self.world = world
        self.body = body
        self.library = library
        self.observation_steps = observation_steps
        self.judge = judge
        self.variation = variation
        self._cameras = cameras
        self.monitor: TaskMonitor | Gensim2Monitor | None = None
        self.drawn: Drawn | None = None
        self._judged: tuple[str, ...] = ()
        self.reset_count = 0

    def reset(
        self, task: str | TaskSpec, asset: str, seed: int, randomize: bool, start: Start = "task"
    ) -> Drawn:
        """Draws and builds the scene of a task, by name or as a whole, with the robot at home.

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
            spec = task if isinstance(task, TaskSpec) else load_task(task)
        except TaskError as error:
            raise ResetError(ResetError.UNKNOWN_TASK, str(error)) from None
        rng = np.random.default_rng(seed)
        wanted = self.variation.of_task(spec.randomise)
        why, former = "", self.world.scene
        for draw in range(1, MAX_DRAWS + 1):
            try:
                objects = self._draw(spec, asset, seed, randomize, start, rng, draw)
                conditions = draw_conditions(wanted, seed, [o.name for o in objects])
                self._align()
                self.world.reset(objects, conditions)
            except NoRoomError as error:
                why = str(error)
                continue
            except AssetError as error:
                if self.world.scene is not former:
                    self._clear()
                unknown = asset and not self._exists(spec, asset)
                code = ResetError.UNKNOWN_ASSET if unknown else ResetError.BAD_ASSET
                raise ResetError(code, str(error)) from None
            except SceneError as error:
                why = str(error)
                continue
            self._begin(spec)
            parameters = {
                "asset": asset,
                "randomize": randomize,
                "judge": self.judge,
                "start": start,
                **self.variation.record(),
                "randomised": conditions.record(self._cameras),
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

    def _draw(
        self,
        spec: TaskSpec,
        asset: str,
        seed: int,
        randomize: bool,
        start: Start,
        rng: np.random.Generator,
        draw: int,
    ) -> tuple[PlacedObject, ...]:
        """The objects of a task, and what stands about."""
        split, library = self.variation.split, self.library
        objects = draw_scene(
            spec, library, rng, asset=asset, randomize=randomize, start=start, split=split
        )
        count = self.variation.of_task(spec.randomise).clutter
        if count is None:
            return objects
        return (*objects, *draw_clutter(count, objects, library, clutter_rng(seed, draw), split))

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

    def _begin(self, task: TaskSpec | None) -> None:
        for _ in range(SETTLE_STEPS):
            self.world.step()
        self._align()
        self.monitor = None if task is None else self._monitor_of(task)
        self._judged = () if task is None else tuple(o.name for o in task.objects)
        self.body.reseed()
        self.body.update()
        self._judge()

    def _monitor_of(self, task: TaskSpec) -> TaskMonitor | Gensim2Monitor:
        if self.judge == GENSIM2:
            return Gensim2Monitor(task, self.world.keypoints, self.world.tool_points)
        return TaskMonitor(task)

    def _judge(self) -> None:
        if self.monitor is not None:
            # What stands about is nothing to the judge, and costs as much to look at.
            self.monitor.update(self.world.t, self.world.observations(self._judged))

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
