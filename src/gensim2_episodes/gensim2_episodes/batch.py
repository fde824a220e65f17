"""Runs episodes without transport: the modules of the nodes, called directly.

Used by the benchmarks. Same seed, task and asset give the same motion as on the graph, to the bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gensim2_control.body import Body
from gensim2_control.goals import Goal, GoalRejected
from gensim2_control.hardware import ARM_DOF
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.as_message import scene_as_sent
from gensim2_kpam.expert import ExpertCode, ExpertError, Performance, perform
from gensim2_kpam.plan import Plan, PlanFailure, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.placement import Start
from gensim2_tasks.specs import TaskSpec

IDLE, EXPERT = "idle", "kpam_expert"
IDLE_TIME = 8.0  # s, about as long as an episode of the expert


@dataclass(frozen=True)
class BatchEpisode:
    """One attempt: what was drawn, what became of it and what it cost (CPU s, simulated s)."""

    task: str
    seed: int
    asset: str
    success: bool
    outcome: str
    reason: str
    start_openness: float
    end_openness: float
    approach_disturbance: float
    plan_time: float
    sim_time: float
    cpu_time: float
    solver: str


class BatchCell:
    """``Performer`` over a simulation that is ticked here.

    Args:
        simulation: The simulation, right after a reset.
        planner: Plans the sub-tasks.
        seed: Of the scene.
        control: Runs the controllers at every tick, before the physics.
        moved: Told after every tick.
        rested: Told after every goal.
    """

    def __init__(
        self,
        simulation: Simulation,
        planner: TaskPlanner,
        seed: int,
        control: Callable[[], object] | None = None,
        moved: Callable[[], None] = lambda: None,
        rested: Callable[[], object] = lambda: None,
    ) -> None:
        self.simulation, self.planner, self.seed = simulation, planner, seed
        self._control = control or simulation.control
        self._moved, self._rested = moved, rested

    def now(self) -> float:
        """See ``Performer``."""
        return self.simulation.world.t

    def plan(self, task: TaskSpec, subtask: int) -> Plan | PlanFailure:
        """See ``Performer``."""
        world = self.simulation.world
        placed = next(o for o in world.objects if o.name == task.subtasks[subtask].object)
        scene = SceneObject(
            placed.asset,
            world.root_pose(placed.name),
            world.joint_state(placed.name)[0],
            world.keypoints(placed.name),
        )
        q = np.asarray(world.robot.get_qpos()[:ARM_DOF], dtype=float)
        return self.planner.plan(task, subtask, scene_as_sent(scene), q, self.seed)

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        """See ``Performer``."""
        body = self.simulation.body
        self._finish(lambda: body.follow(trajectory, path_tolerance, goal_tolerance))

    def grip(self, position: float, effort: float) -> None:
        """See ``Performer``."""
        self._finish(lambda: self.simulation.body.grip(position, effort))

    def tick(self) -> None:
        """Moves on by one control period."""
        self._control()
        self.simulation.advance()
        self._moved()

    def _finish(self, start: Callable[[], Goal]) -> None:
        try:
            goal = start()
        except GoalRejected as rejection:
            raise ExpertError(ExpertCode.GOAL_REJECTED, str(rejection)) from None
        while not goal.done:
            self.tick()
        self._rested()
        result = goal.result
        if result is not None and not result.succeeded:
            raise ExpertError(ExpertCode.EXECUTION_FAILED, f"{result.code.name}: {result.text}")


class BatchRunner:
    """Runs episodes one after the other.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from.
        render: Whether the world can be rendered.
    """

    def __init__(self, urdf: str, library: AssetLibrary, render: bool = False) -> None:
        world = World(urdf, WorldConfig(render=render))
        self.simulation = Simulation(world, Body(SapienHardware(world)), library, 20)
        self.planner = TaskPlanner(Planner(urdf))

    def run(
        self,
        task: str,
        seed: int,
        *,
        asset: str = "",
        randomize: bool = True,
        controller: str = EXPERT,
        start: Start = "task",
    ) -> BatchEpisode:
        """Runs one episode; a failure is in the result."""
        started = time.process_time()
        try:
            drawn = self.simulation.reset(task, asset, seed, randomize, start)
        except ResetError as error:
            return BatchEpisode(
                task, seed, asset, False, "scene_failed", str(error), 0, 0, 0, 0, 0, 0, ""
            )
        spec = drawn.task
        name = spec.subtasks[0].object
        world = self.simulation.world
        openness: list[tuple[float, float]] = []
        before = world.observations()[name].openness

        def moved() -> None:
            openness.append((world.t, world.observations()[name].openness))

        cell = BatchCell(self.simulation, self.planner, seed, moved=moved)
        if controller == IDLE:
            began = world.t
            while world.t < began + IDLE_TIME:
                cell.tick()
            performance = Performance(0.0, began, world.t, None, ())
        else:
            performance = perform(spec, cell)
        monitor = self.simulation.monitor
        achieved = monitor is not None and monitor.succeeded
        success = achieved and performance.code is ExpertCode.NONE
        outcome = "success" if success else performance.code.name.lower()
        reason = performance.text
        if not success and performance.code is ExpertCode.NONE:
            outcome = "not_achieved"
            evaluations = monitor.evaluations if monitor else ()
            reason = ", ".join(f"{e.name}: {e.value:.2f}" for e in evaluations if not e.satisfied)
        free = [
            o
            for t, o in openness
            if performance.actuated_at is None or t <= performance.actuated_at
        ]
        return BatchEpisode(
            task=task,
            seed=seed,
            asset=str(world.objects[0].asset.ref),
            success=success,
            outcome=outcome,
            reason=reason,
            start_openness=before,
            end_openness=world.observations()[name].openness,
            approach_disturbance=max((abs(o - before) for o in free), default=0.0),
            plan_time=performance.plan_time,
            sim_time=performance.ended_at - performance.started_at,
            cpu_time=time.process_time() - started,
            solver=str(performance.reports[-1].get("solver", "")) if performance.reports else "",
        )
