"""Policies in the simulation without transport: the modules of the nodes, called directly.

Same scene, same policy and same clouds give the motion of the graph, but for the rounding of clouds
and joint states in messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from gensim2_control.body import Body
from gensim2_control.camera_calibration import CameraCalibrations
from gensim2_control.goals import GoalRejected
from gensim2_control.hardware import JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.trajectory import Trajectory
from gensim2_episodes.batch_eyes import BatchEyes
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.failure import FailureKind
from gensim2_tasks.randomisation import AS_THE_TASK_SAYS, Variation
from numpy.typing import NDArray

from .acting import Policy, PolicyError
from .chunk_maker import BOUNDS, STOP_TIME, ChunkMaker
from .rollout import (
    PATIENCE,
    BodyNews,
    End,
    Rollout,
    RolloutConfig,
    RolloutError,
    perform,
    still_below,
)
from .seen import NS, History, NotSeenError, Seen
from .settings import ObservationSettings

OBSERVATION_STEPS = 20
BASE = "base"
Look = Callable[[int, Mapping[str, NDArray[np.uint8]]], None]
"""Takes the stamp, ns, and the picture (H, W, 3), RGB, of every camera."""


class SimulatedRobot:
    """Implements `rollout.Robot` over a simulation that is ticked here.

    Args:
        simulation: Right after a reset.
        eyes: Clouds and pictures; None = none.
        seen: What is observed.
        kinematics: Of the robot.
        look: Shown the pictures of the cameras at every observation.
        over: Asked after every tick whether the task may end, as it is done.

    Raises:
        PolicyError: The policy looks through cameras that are not there.
    """

    def __init__(
        self,
        simulation: Simulation,
        eyes: BatchEyes | None,
        seen: ObservationSettings,
        kinematics: Fr3Kinematics,
        look: Look | None = None,
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        there = () if eyes is None else eyes.names
        missing = [camera for camera in seen.cameras if camera not in there]
        if missing:
            raise PolicyError(
                f"the policy looks through {', '.join(missing)}; there are {', '.join(there)}"
            )
        self._simulation, self._eyes, self._look, self._over = simulation, eyes, look, over
        self._seen, self._history = seen, History(seen, kinematics)
        self._history.begin(round(self.now() * NS))
        self._controlled = False
        self.refused = 0
        """Chunks that the body did not take."""
        self.last_refusal = ""

    def now(self) -> float:
        """See `Robot`."""
        return self._simulation.world.t

    def body(self) -> BodyNews:
        """See `Robot`."""
        state = self._simulation.body.state
        assert state is not None
        fault = state.reason if state.error_code else ""
        return BodyNews(np.array(state.q_ref), np.array(state.dq_ref), state.t, fault)

    def observe(self, after: float) -> Seen:
        """See `Robot`; the scene goes on until then."""
        simulation, state = self._simulation, None
        while state is None or not (simulation.observation_due and self.now() > after):
            self.advance()
            if self._over():
                raise RolloutError(End.NONE, "the task is done")
            # What is observed at this moment is acted on between the controllers and the physics.
            state, self._controlled = simulation.control(), True
        stamp_ns = round(self.now() * NS)
        q = [float(x) for x in state.q]
        self._history.joint_state(stamp_ns, list(JOINTS), q)
        try:
            if self._eyes is not None:
                self._open(self._eyes, stamp_ns, np.array(q[:7]))
            return self._history.at(stamp_ns)
        except (NotSeenError, ValueError) as error:
            raise RolloutError(End.SENSOR_STALE, str(error)) from None

    def _open(self, eyes: BatchEyes, stamp_ns: int, q: NDArray[np.float64]) -> None:
        cloud = eyes.cloud(self._simulation.world, q)
        if self._seen.cloud_steps:
            self._history.cloud(stamp_ns, cloud.xyz, cloud.rgb)
        for camera in self._seen.cameras:
            self._history.picture(stamp_ns, camera, eyes.pictures[camera])
        if self._look is not None:
            self._look(stamp_ns, eyes.pictures)

    def advance(self) -> None:
        """Ends the control period, if one has begun."""
        if self._controlled:
            self._simulation.advance()
            self._controlled = False

    def send(self, trajectory: Trajectory, t: float) -> None:
        """See `Robot`."""
        try:
            self._simulation.body.stream(trajectory, t)
        except GoalRejected as rejection:
            self.refused += 1
            self.last_refusal = str(rejection)

    def grip(self, position: float) -> None:
        """See `Robot`."""
        self._simulation.body.grip(position)

    def acted(self, t: float) -> None:
        """See `Robot`."""

    def finish(self) -> None:
        """See `Robot`."""
        self.advance()
        while self._simulation.body.busy:
            self._simulation.tick()


@dataclass(frozen=True)
class Episode:
    """One rollout in simulation: what was drawn, and what became of it."""

    task: str
    instruction: str
    seed: int
    asset: str
    success: bool
    failure: str
    openness: tuple[float, float]
    rollout: Rollout | None
    refused: int
    text: str
    cpu_time: float


class HeadlessRunner:
    """Runs episodes one after the other.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from.
        calibrations: Where the cameras sit.
        variation: What is randomised.
    """

    def __init__(
        self,
        urdf: str,
        library: AssetLibrary,
        calibrations: CameraCalibrations,
        variation: Variation = AS_THE_TASK_SAYS,
    ) -> None:
        world = World(urdf, WorldConfig(render=True))
        self._kinematics = Fr3Kinematics.from_urdf(urdf)
        body = Body(SapienHardware(world))
        self._eyes = BatchEyes(calibrations, self._kinematics)
        fixed = (n for n in self._eyes.names if calibrations.cameras[n].parent == BASE)
        self._overview = next(fixed, self._eyes.names[0])
        self.simulation = Simulation(
            world, body, library, OBSERVATION_STEPS, variation=variation, cameras=self._eyes.names
        )

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return self._eyes.names

    @property
    def overview(self) -> str:
        """Name of a camera that sees the scene from outside, if there is one."""
        return self._overview

    def run(
        self,
        policy: Policy,
        task: str,
        seed: int,
        *,
        instruction: str = "",
        asset: str = "",
        config: RolloutConfig | None = None,
        look: Look | None = None,
    ) -> Episode:
        """Runs one episode; a failure is in the result.

        Args:
            policy: The policy.
            task: Of the catalogue; by it the episode is judged.
            seed: Of the scene, and of the noise of the policy.
            instruction: What the policy is told; empty = that of the task.
            asset: Reference or id; empty = drawn by seed.
            config: Times; None = the usual ones.
            look: Shown the pictures of the cameras at every observation.

        Raises:
            PolicyError: The policy looks through cameras that are not there.
        """
        began = time.process_time()
        simulation = self.simulation
        try:
            drawn = simulation.reset(task, asset, seed, True)
        except ResetError as error:
            return Episode(
                task, instruction, seed, asset, False, "scene", (0.0, 0.0), None, 0, str(error), 0.0
            )
        world, monitor = simulation.world, simulation.monitor
        name, words = drawn.task.subtasks[0].object, instruction or drawn.task.instruction
        before = world.openness(name)
        seen = policy.record.settings.observation
        sees = seen.cloud_steps or seen.cameras or look is not None
        eyes = self._eyes if sees else None
        robot = SimulatedRobot(simulation, eyes, seen, self._kinematics, look)
        limits = BOUNDS.limits().stoppable_within(STOP_TIME)
        maker = ChunkMaker(self._kinematics, limits, BOUNDS.workspace())
        policy.begin(words, seed)
        if config is None:
            limit = PATIENCE * policy.record.durations.get(task, 7.5)
            still = still_below(policy.record.slowest)
            config = RolloutConfig(limit=limit, timeout=10.0 * limit, still=still)
        rollout = perform(policy, maker, robot, config)
        success = monitor is not None and monitor.succeeded and rollout.end is End.NONE
        failure = "" if success else str(FailureKind.NOT_ACHIEVED)
        return Episode(
            task,
            words,
            seed,
            str(world.objects[0].asset.ref),
            success,
            failure,
            (before, world.openness(name)),
            rollout,
            robot.refused,
            rollout.text + (f"; {robot.last_refusal}" if robot.refused else ""),
            time.process_time() - began,
        )
