"""Executes recorded episodes again: the recorded commands in the scene of the recorded seed.

Shows that what a data set holds is enough to do the task: the commands are those of the
observations (10 Hz), not the trajectories of the planner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.body import Body
from gensim2_control.goals import Goal, GoalRejected
from gensim2_control.trajectory import Trajectory
from gensim2_sim_bridge.hardware import SapienHardware
from gensim2_sim_bridge.simulation import ResetError, Simulation
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.gensim2_judge import PREDICATES
from gensim2_tasks.placement import STARTS
from gensim2_tasks.randomisation import RandomisationError, Variation
from numpy.typing import NDArray

from gensim2_episodes.manifest import Manifest
from gensim2_episodes.reader import EpisodeReader

Array = NDArray[np.float64]
SETTLE_TIME = 1.0  # s, for the dwell time of the task after the last command
UNLIMITED = -1.0
UNRECORDED_EFFORT = 20.0
"""What the kPAM expert grips with [N], for episodes that do not say."""
SAME_POSITION = 1e-6  # m
SAME_PLACE = 1e-4  # m, of things that have come to rest


@dataclass(frozen=True)
class ReplayResult:
    """Whether the episode succeeded again, and why not."""

    success: bool
    reason: str = ""


class Replayer:
    """Replays episodes one after the other.

    Args:
        urdf: Text of the robot description with absolute mesh paths.
        library: Where assets come from; the same as when recording.
    """

    def __init__(self, urdf: str, library: AssetLibrary) -> None:
        world = World(urdf, WorldConfig(render=False))
        self._simulation = Simulation(world, Body(SapienHardware(world)), library, 20)

    def replay(self, manifest: Manifest, reader: EpisodeReader) -> ReplayResult:
        """Executes one episode again."""
        simulation = self._simulation
        drawn = manifest.scene.parameters
        asset, wanted = str(drawn.get("asset", "")), drawn.get("start", "task")
        simulation.judge = str(drawn.get("judge", PREDICATES))
        start = next((s for s in STARTS if s == wanted), None)
        if start is None:
            return ReplayResult(False, f"reset: unknown start {wanted!r}")
        try:
            simulation.variation = Variation.recorded(drawn)
            simulation.reset(manifest.task, asset, manifest.seed, manifest.randomize, start)
        except (RandomisationError, ResetError) as error:
            return ReplayResult(False, f"reset: {error}")
        different = self._difference(manifest)
        if different:
            return ReplayResult(False, f"the scene is another one: {different}")
        try:
            gripper, efforts = reader.action_gripper, reader.action_gripper_effort
            if efforts is None:
                efforts = np.full(len(reader), UNRECORDED_EFFORT)
            for first, last in _segments(gripper):
                self._grip(float(gripper[first]), float(efforts[first]))
                self._follow(reader, first, last)
            self._hold()
        except GoalRejected as error:
            return ReplayResult(False, f"a command was refused: {error}")
        monitor = simulation.monitor
        if monitor is not None and monitor.succeeded:
            return ReplayResult(True)
        missed = [e for e in (monitor.evaluations if monitor else ()) if not e.satisfied]
        return ReplayResult(
            False, ", ".join(f"{e.name}: {e.value:.2f}" for e in missed) or "not held long enough"
        )

    def _difference(self, manifest: Manifest) -> str:
        """Names what differs between the recorded scene and the one that was drawn again."""
        drawn = {o.name: o for o in self._simulation.world.objects}
        for recorded in manifest.scene.objects:
            placed = drawn.get(recorded.name)
            if placed is None or str(placed.asset.ref) != recorded.asset:
                return f"{recorded.name} was {recorded.asset}"
            # Free ones have come to rest since they were placed, in the record too.
            p = self._simulation.world.root_pose(recorded.name)[:3, 3]
            if not np.allclose(p, recorded.pose[:3], rtol=0.0, atol=SAME_PLACE):
                return f"{recorded.name} stood at {recorded.pose[:3]}"
        return ""

    def _grip(self, position: float, effort: float) -> None:
        body = self._simulation.body
        state = body.state
        if state is None or abs(state.gripper_ref - position) > SAME_POSITION:
            self._finish(body.grip(position, effort))

    def _follow(self, reader: EpisodeReader, first: int, last: int) -> None:
        """Follows the commands of frames ``first`` to ``last``, both included."""
        if last == first:
            return
        frames = slice(first, last + 1)
        dq = reader.action_joint_velocity[frames].copy()
        dq[0] = dq[-1] = 0.0
        t = reader.time[frames] - reader.time[first]
        trajectory = Trajectory(t, reader.action_joint_position[frames], dq)
        self._finish(self._simulation.body.follow(trajectory, UNLIMITED, UNLIMITED))

    def _hold(self) -> None:
        steps = round(SETTLE_TIME * self._simulation.rate)
        for _ in range(steps):
            self._simulation.tick()

    def _finish(self, goal: Goal) -> None:
        while not goal.done:
            self._simulation.tick()


def _segments(gripper: Array) -> list[tuple[int, int]]:
    """Runs of frames (first, last) with the same gripper command; each begins where one ended."""
    changes = np.flatnonzero(np.abs(np.diff(gripper)) > SAME_POSITION) + 1
    starts = [0, *changes.tolist()]
    ends = [*changes.tolist(), len(gripper) - 1]
    return list(zip(starts, ends, strict=True))
