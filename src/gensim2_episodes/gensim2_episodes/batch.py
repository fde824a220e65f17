"""Runs episodes without transport: the modules of the nodes, called directly.

Used by the benchmarks. Same seed, task and asset give the same motion as on the graph, to the bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from gensim2_control.body import Body
from gensim2_control.goals import ArmCode, Goal, GoalRejected
from gensim2_control.hardware import ARM_DOF
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.trajectory import Trajectory
from gensim2_kpam.as_message import scene_as_sent
from gensim2_kpam.expert import perform
from gensim2_kpam.performance import ExpertCode, ExpertError, Observed, Performance
from gensim2_kpam.plan import Plan, PlanFailure, SceneObject
from gensim2_kpam.planner import Planner
from gensim2_kpam.task_planner import TaskPlanner
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.failure import FailureKind
from gensim2_tasks.gensim2_judge import PREDICATES, Gensim2Monitor
from gensim2_tasks.placement import PlacedObject, Start
from gensim2_tasks.randomisation import AS_THE_TASK_SAYS, Variation
from gensim2_tasks.specs import TaskSpec

from gensim2_episodes.disturbance import Disturbance, DisturbanceKind
from gensim2_episodes.random_motion import Grip, RandomMotion

G = TypeVar("G", bound=Goal)
EXPERT, IDLE, RANDOM, SWEEP = "kpam_expert", "idle", "random", "sweep"
CONTROLLERS = (EXPERT, IDLE, RANDOM, SWEEP)
CONTROL_TIME = 8.0  # s, about as long as an episode of the expert


@dataclass(frozen=True)
class BatchEpisode:
    """One attempt: what was drawn, what became of it and what it cost (CPU s, simulated s).

    ``failure`` is the kind of failure; empty after success. ``disturbed`` says how the episode was
    spoiled, empty = not at all; ``undone`` whether the try that was spoiled has failed.
    ``gensim2`` says whether the criteria of the public GenSim2 were met on the way.
    """

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
    failure: str = ""
    retries: int = 0
    disturbed: str = ""
    undone: bool = False
    gensim2: bool = False


class BatchCell:
    """``Performer`` over a simulation that is ticked here.

    Args:
        simulation: The simulation, right after a reset.
        planner: Plans the sub-tasks.
        seed: Of the scene.
        control: Runs the controllers at every tick, before the physics.
        moved: Told after every tick.
        rested: Told after every goal, once the robot rests.

    Attributes:
        disturbance: What spoils the episode; None = nothing.
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
        self.disturbance: Disturbance | None = None

    def now(self) -> float:
        """See ``Performer``."""
        return self.simulation.world.t

    def plan(self, task: TaskSpec, subtask: int, attempt: int) -> Plan | PlanFailure:
        """See ``Performer``."""
        world, state = self.simulation.world, self.simulation.body.state
        if state is None:
            raise ExpertError(ExpertCode.SENSOR_STALE, "nothing is known of the robot")
        objects = {o.name: _scene_object(world, o) for o in world.objects}
        acted_on = objects.pop(task.subtasks[subtask].object)
        scene = replace(acted_on, others=tuple(objects.values()))
        # What the robot has said last, as a planner hears it from the graph.
        q = np.array(state.q[:ARM_DOF])
        return self.planner.plan(task, subtask, scene_as_sent(scene), q, self.seed, attempt)

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        """See ``Performer``."""
        body = self.simulation.body
        self._finish(lambda: body.follow(trajectory, path_tolerance, goal_tolerance))

    def grip(self, position: float, effort: float) -> bool:
        """See ``Performer``."""
        goal = self._finish(lambda: self.simulation.body.grip(position, effort))
        return goal.stalled

    def observe(self, task: TaskSpec) -> Observed:
        """See ``Performer``."""
        simulation = self.simulation
        tilts = {name: o.tilt for name, o in simulation.world.observations().items()}
        judged = simulation.drawn is not None and simulation.drawn.task == task
        if simulation.monitor is None or not judged:
            return Observed((None,) * len(task.subtasks), tilts)
        return Observed(simulation.monitor.done, tilts)

    def tick(self) -> None:
        """Moves on by one control period."""
        self._control()
        self.simulation.advance()
        if self.disturbance is not None:
            self.disturbance.step()
        self._moved()

    def progress(self, stage: str, share: float) -> None:
        """To be told what the expert is about."""
        if self.disturbance is not None:
            self.disturbance.stage = stage

    @property
    def disturbed(self) -> str:
        """How the episode has been spoiled; empty = not at all."""
        done = self.disturbance is not None and self.disturbance.record is not None
        return str(self.disturbance.kind) if self.disturbance is not None and done else ""

    def is_free(self, name: str, joint_position: float) -> bool:
        """Whether nothing of the robot is where an object would be at a joint position."""
        world = self.simulation.world
        placed = next(o for o in world.objects if o.name == name)
        scene = SceneObject(placed.asset, world.root_pose(name), joint_position, {})
        model = self.planner.planner.collision_model(scene)
        model.place(scene.T_base_root, world.finger_position)
        model.allow_contact(False)
        q = np.asarray(world.robot.get_qpos()[:ARM_DOF], dtype=float)
        return not model.in_collision(q, joint_position, 0.0)

    def _finish(self, start: Callable[[], G]) -> G:
        try:
            goal = start()
        except GoalRejected as rejection:
            raise ExpertError(ExpertCode.GOAL_REJECTED, str(rejection)) from None
        # An arm that has given up its goal still slows down.
        while not goal.done or self.simulation.body.busy:
            self.tick()
        self._rested()
        result = goal.result
        if result is not None and not result.succeeded:
            raise ExpertError(
                ExpertCode.EXECUTION_FAILED,
                f"{result.code.name}: {result.text}",
                # Whoever stops the robot ends its goal as one that has become invalid.
                again=result.code is not ArmCode.INVALID_GOAL,
            )
        return goal


def _scene_object(world: World, placed: PlacedObject) -> SceneObject:
    return SceneObject(
        placed.asset,
        world.root_pose(placed.name),
        world.joint_state(placed.name)[0],
        world.keypoints(placed.name),
        placed.name,
    )


def run_control(
    controller: str, cell: BatchCell, kinematics: Fr3Kinematics, over: Callable[[], bool]
) -> None:
    """Does nothing, or moves at random, until time is up or it is over.

    Args:
        controller: `IDLE`, `RANDOM` or `SWEEP`.
        cell: Right after a reset.
        kinematics: Of the robot.
        over: Asked after every step.
    """
    simulation = cell.simulation
    rng = np.random.default_rng(cell.seed)
    motion = RandomMotion(kinematics, simulation.body.limits, rng, sweep=controller == SWEEP)
    end = cell.now() + CONTROL_TIME
    while cell.now() < end and not over():
        state = simulation.body.state
        if controller == IDLE or state is None:
            cell.tick()
            continue
        step = motion.draw(state.q_ref)
        try:
            if isinstance(step, Grip):
                cell.grip(step.position, step.effort)
            else:
                cell.follow(step, 0.0, 0.0)
        except ExpertError:
            cell.tick()  # it has met something, and goes elsewhere


class BatchRunner:
    """Runs episodes one after the other.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from.
        render: Whether the world can be rendered.
        judge: Who says what a success is: one of `gensim2_judge.JUDGES`.
        variation: What is randomised beside where objects stand.
    """

    def __init__(
        self,
        urdf: str,
        library: AssetLibrary,
        render: bool = False,
        judge: str = PREDICATES,
        variation: Variation = AS_THE_TASK_SAYS,
    ) -> None:
        world = World(urdf, WorldConfig(render=render))
        body = Body(SapienHardware(world))
        self.simulation = Simulation(world, body, library, 20, judge, variation)
        self.planner = TaskPlanner(Planner(urdf))
        self._kinematics = Fr3Kinematics.from_urdf(urdf)

    def run(
        self,
        task: str,
        seed: int,
        *,
        asset: str = "",
        randomize: bool = True,
        controller: str = EXPERT,
        disturb: DisturbanceKind | None = None,
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
        name, judged = spec.subtasks[0].object, [o.name for o in spec.objects]
        world = self.simulation.world
        openness: list[tuple[float, float]] = []
        before = world.openness(name)
        monitor = self.simulation.monitor
        gensim2 = Gensim2Monitor(spec, world.keypoints, world.tool_points)
        ever = False

        def moved() -> None:
            nonlocal ever
            openness.append((world.t, world.openness(name)))
            if self.simulation.observation_due:
                gensim2.update(world.t, world.observations(judged))
            ever = ever or (monitor is not None and monitor.succeeded)

        cell = BatchCell(self.simulation, self.planner, seed, moved=moved)
        if disturb is not None:
            cell.disturbance = Disturbance(disturb, self.simulation, seed, cell.is_free)
        if controller == EXPERT:
            performance = perform(spec, cell, cell.progress)
            achieved = monitor is not None and monitor.succeeded
        else:
            began = world.t
            run_control(controller, cell, self._kinematics, lambda: ever)
            performance = Performance(0.0, began, world.t, None)
            achieved = ever  # what nobody wanted must not happen, even if it does not last
        success = achieved and performance.code is ExpertCode.NONE
        outcome = "success" if success else performance.code.name.lower()
        reason = performance.text
        if not success and performance.code is ExpertCode.NONE:
            outcome = "not_achieved"
            evaluations = monitor.evaluations if monitor else ()
            unmet = ", ".join(f"{e.name}: {e.value:.2f}" for e in evaluations if not e.satisfied)
            reason = unmet or "not held long enough, or not every sub-task achieved"
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
            end_openness=world.openness(name),
            approach_disturbance=max((abs(o - before) for o in free), default=0.0),
            plan_time=performance.plan_time,
            sim_time=performance.ended_at - performance.started_at,
            cpu_time=time.process_time() - started,
            solver=str(performance.reports[-1].get("solver", "")) if performance.reports else "",
            failure="" if success else str(performance.failure or FailureKind.NOT_ACHIEVED),
            retries=performance.retries,
            disturbed=cell.disturbed,
            undone=performance.retries > 0,
            gensim2=gensim2.succeeded,
        )
