"""The graph without transport: what the manager needs of the nodes, called directly.

With it `Collection` collects as over the graph: the same decisions, recorder and manifests. Same
request, same episodes to the bit; `Manifest.reproducible` says what must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from gensim2_control.body_state import BodyState
from gensim2_control.hardware import ARM_JOINTS, JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_kpam.expert import perform
from gensim2_kpam.performance import ExpertCode, Performance
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_tasks.catalogue import TaskError, load_task

from gensim2_episodes.assembly import Assembler, RecorderConfig
from gensim2_episodes.attempts import (
    ExecuteReply,
    GraphError,
    ResetReply,
    Stopped,
    TaskImpossibleError,
    UnknownTaskError,
    whole_ns,
)
from gensim2_episodes.batch import BatchCell, BatchRunner
from gensim2_episodes.batch_eyes import BatchEyes
from gensim2_episodes.disturbance import Disturbance, DisturbanceKind
from gensim2_episodes.frame_builder import JointReading
from gensim2_episodes.manifest import CameraRecord, JsonObject, Outcome, json_object
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene, SceneObject, predicate_record
from gensim2_episodes.writer import EpisodeWriter
from gensim2_tasks import se3

_FAILURES = {
    ExpertCode.PLAN_FAILED: Outcome.PLAN_FAILED,
    ExpertCode.GOAL_REJECTED: Outcome.GOAL_REJECTED,
    ExpertCode.EXECUTION_FAILED: Outcome.EXECUTION_FAILED,
    ExpertCode.SENSOR_STALE: Outcome.SENSOR_STALE,
    ExpertCode.TIMEOUT: Outcome.TIMEOUT,
    ExpertCode.CANCELED: Outcome.CANCELED,
}


def scene_of(simulation: Simulation) -> Scene:
    """The truth of the present scene, as the node `sim_bridge` tells it on `scene/state`."""
    world, monitor = simulation.world, simulation.monitor
    objects = []
    for placed in world.objects:
        q, _ = world.joint_state(placed.name)
        T = world.root_pose(placed.name)
        objects.append(
            SceneObject(
                name=placed.name,
                category=placed.asset.ref.category,
                asset=str(placed.asset.ref),
                pose=tuple(map(float, (*T[:3, 3], *se3.quat_xyzw(T)))),
                joint_name=placed.asset.tree.moving.name,
                joint_position=float(q),
                openness=float(placed.asset.openness(q)),
                keypoints=tuple(
                    (name, (float(p[0]), float(p[1]), float(p[2])))
                    for name, p in world.keypoints(placed.name).items()
                ),
            )
        )
    evaluations = monitor.evaluations if monitor is not None else ()
    return Scene(
        stamp_ns=_ns(world.t),
        reset_count=simulation.reset_count,
        objects=tuple(objects),
        predicates=tuple(
            predicate_record(e.name, e.satisfied, e.value, e.threshold) for e in evaluations
        ),
        succeeded=monitor is not None and monitor.succeeded,
    )


class BatchGraph:
    """Implements `attempts.Graph` over the simulation and planner of a batch runner.

    Records the state of robot and objects, and clouds where there are eyes.
    """

    def __init__(
        self,
        runner: BatchRunner,
        kinematics: Fr3Kinematics,
        rate: float,
        disturb: DisturbanceKind | None = None,
        eyes: BatchEyes | None = None,
    ) -> None:
        """Takes over a runner.

        Args:
            runner: Its simulation makes an observation every so often, which must be at `rate`.
            kinematics: Of the robot.
            rate: Of the observations [Hz].
            disturb: How every episode is spoiled once; None = not at all.
            eyes: Make clouds, which are recorded too; None = there are none.
        """
        self._disturb, self._eyes = disturb, eyes
        self._simulation, self._planner = runner.simulation, runner.planner
        made = self._simulation.rate / self._simulation.observation_steps
        if abs(made - rate) > 1e-9:
            raise ValueError(f"the simulation observes at {made:g} Hz, not at {rate:g} Hz")
        self._period_ns = round(1e9 / rate)
        self._kinematics = kinematics
        self._recording: Recording | None = None
        self._history: list[Scene] = []
        self._seed = 0
        self._stopped: Stopped = lambda: None
        self.solver = ""
        """The kPAM solver of the newest plan."""
        self.disturbed = ""
        """How the newest episode has been spoiled; empty = not at all."""

    def ready(self, stopped: Stopped) -> None:
        """See `attempts.Graph`: everything is always there."""

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        """See `attempts.Graph`."""
        try:
            drawn = self._simulation.reset(task, asset, seed, randomize)
        except ResetError as error:
            if error.code == ResetError.UNKNOWN_TASK:
                raise UnknownTaskError(str(error)) from None
            if error.code == ResetError.UNKNOWN_ASSET or (
                asset and error.code == ResetError.BAD_ASSET
            ):
                raise TaskImpossibleError(str(error)) from None
            if error.code == ResetError.ROBOT_BUSY:
                raise GraphError(str(error)) from None
            return ResetReply(None, {}, str(error))
        self._seed = seed
        self._history = [scene_of(self._simulation)]
        return ResetReply(self._history[0], _plain(drawn.parameters))

    def record(self, writer: EpisodeWriter, scene: Scene) -> Recording:
        """See `attempts.Graph`."""
        config = RecorderConfig(
            self._period_ns, cloud=self._eyes is not None, truth=bool(scene.movable)
        )
        self._recording = Recording.of_scene(writer, config, self._kinematics, scene)
        state = self._simulation.body.state
        if state is not None:
            self._feed(state, scene)
        return self._recording

    def first_observation(self, recording: Recording, stopped: Stopped) -> list[str]:
        """See `attempts.Graph`: it was there at once."""
        return [] if recording.frames else recording.lacking()

    def execute(
        self, controller: str, task: str, instruction: str, start_ns: int, stopped: Stopped
    ) -> ExecuteReply:
        """See `attempts.Graph`; the controller is always the kPAM expert."""
        try:
            spec = load_task(task)
        except TaskError as error:
            raise UnknownTaskError(str(error)) from error
        self._stopped = stopped
        cell = BatchCell(
            self._simulation, self._planner, self._seed, self._control, rested=self._show
        )
        if self._disturb is not None:
            cell.disturbance = Disturbance(
                self._disturb, self._simulation, self._seed, cell.is_free
            )
        performance = perform(spec, cell, cell.progress)
        reports = performance.reports
        self.disturbed = cell.disturbed
        self.solver = str(reports[-1].get("solver", "")) if reports else ""
        reply = _reply(performance, _ns(self._simulation.world.t))
        if cell.disturbance is None or cell.disturbance.record is None:
            return reply
        return replace(reply, report={**reply.report, "disturbance": cell.disturbance.record})

    def scene_at(self, reset_count: int, stamp_ns: int, stopped: Stopped) -> Scene:
        """See `attempts.Graph`."""
        return scene_of(self._simulation)

    def verdict(self, scene: Scene, stopped: Stopped) -> Scene:
        """See `attempts.Graph`; a simulation knows."""
        return scene

    def history(self, reset_count: int) -> list[Scene]:
        """See `attempts.Graph`."""
        return [scene for scene in self._history if scene.reset_count == reset_count]

    @property
    def openness(self) -> tuple[float, float]:
        """Of the first object, at the start and at the end of the present scene."""
        first, last = self._history[0].objects[0], self._history[-1].objects[0]
        return first.openness, last.openness

    def cameras(self) -> Mapping[str, CameraRecord]:
        """See `attempts.Graph`."""
        return {} if self._eyes is None else self._eyes.records()

    def _control(self) -> None:
        """Runs the controllers; where an observation is due, takes it."""
        state = self._simulation.control()
        if not self._simulation.observation_due or state is None:
            return
        if error := self._stopped():
            raise error
        scene = self._show()
        self._feed(state, scene)

    def _show(self) -> Scene:
        scene = scene_of(self._simulation)
        self._history.append(scene)
        return scene

    def _feed(self, state: BodyState, scene: Scene) -> None:
        cloud = None
        if self._eyes is not None:
            cloud = self._eyes.cloud(self._simulation.world, np.asarray(state.q))

        def add(to: Assembler) -> None:
            stamp_ns = _ns(state.t)
            measured = JointReading(JOINTS, state.q.tolist(), state.dq.tolist())
            commanded = JointReading(ARM_JOINTS, state.q_ref.tolist(), state.dq_ref.tolist())
            to.add_joints(stamp_ns, measured)
            to.add_reference(stamp_ns, commanded)
            to.add_gripper_reference(stamp_ns, state.gripper_ref, state.gripper_effort)
            to.add_scene(scene.stamp_ns, scene.truth())
            if cloud is not None:
                to.add_cloud(stamp_ns, cloud.xyz, cloud.rgb)

        if self._recording is not None:
            self._recording.feed(add)


def _reply(performance: Performance, end_ns: int) -> ExecuteReply:
    failure = None
    if performance.code is not ExpertCode.NONE:
        failure = _FAILURES.get(performance.code, Outcome.INTERNAL)
    actuated = performance.actuated_at
    return ExecuteReply(
        failure=failure,
        text=performance.text,
        end_ns=end_ns,
        plan_time=performance.plan_time,
        execution_time=whole_ns(performance.ended_at - performance.started_at),
        actuation_time=None if actuated is None else whole_ns(actuated - performance.started_at),
        actuation_ns=None if actuated is None else _ns(actuated),
        report=json_object(json.dumps(performance.records)),
        kind=performance.failure,
        retries=performance.retries,
    )


def _ns(t: float) -> int:
    return round(t * 1e9)


def _plain(parameters: Mapping[str, object]) -> JsonObject:
    """As they are after a journey as text."""
    return json_object(json.dumps(parameters))
