"""Turns targets of a policy into chunks of joint motion that go on from one another without a jump.

A chunk takes over at a time that lies ahead, and until then repeats the ones before it: whenever it
arrives, the arm moves as it was told to. From there on it follows the newest targets, and those of
chunks before as far as they are still ahead (temporal ensembling, Zhao et al. 2023), within the
limits of the arm. It ends in motion: the next one is expected long before, and where none comes the
body brings the arm to rest.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from gensim2_control.config import ArmConfig
from gensim2_control.goals import TrajectoryRejected
from gensim2_control.hardware import ARM_DOF, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.motion_planner import guarded_points_at, leaves
from gensim2_control.stream_bounds import StreamBounds
from gensim2_control.trajectory import Sample, Trajectory, check_motion
from numpy.typing import NDArray

from .acting import Targets
from .chunk_spline import smooth_way
from .pose_reaching import reach_poses

CALMER = (
    *((1.0, 1.0, 1.0), (10.0, 1.0, 1.0), (10.0, 1.4, 1.0), (10.0, 2.0, 1.0)),
    *((100.0, 3.0, 1.0), (100.0, 3.0, 0.5), (100.0, 3.0, 0.2)),
)
"""Where the limits are not kept: the price on jerk rises, and targets are followed more slowly, or
only a share of the way; that share leads out of every corner."""
STOPS = (0.5, 0.35, 0.25, 0.15)
"""Shares of the highest acceleration with which the arm is stopped, the first that can be."""
BOUNDS = StreamBounds(velocity_scale=0.7, acceleration_scale=0.7)
"""What a policy keeps where nothing else is said."""
STOP_TIME = ArmConfig.stream_stop_time
LONGEST = 1.9  # s, of a chunk; bodies take no more than 2 s
INSET = 0.03
"""Distance of targets from the ends of the joints, rad: a smooth way swings beyond targets."""
INSIDE = 0.004  # m, the same from the ends of the workspace
SAME = 1e-6  # s


@dataclass(frozen=True)
class ChunkConfig:
    """How targets are followed.

    Attributes:
        step: Between two points of a chunk, s.
        jerk_price: See `smooth_way`.
        ensemble: Weight of each chunk over that of the one after it; 0 = only the newest counts
            (receding horizon).
        remembered: Chunks that count at most.
    """

    step: float = 0.05
    jerk_price: float = 1e-6
    ensemble: float = 0.6
    remembered: int = 6


@dataclass(frozen=True)
class Chunk:
    """What is sent.

    Attributes:
        trajectory: The chunk.
        slower: How many times slower than the policy asks for; infinite = the arm is stopped.
    """

    trajectory: Trajectory
    slower: float


class ChunkMaker:
    """See the module. Not thread safe.

    Args:
        kinematics: Of the robot.
        limits: Of its joints, with the margins of the body and a little more.
        workspace: Box that TCP and fingertips may not leave.
        config: How targets are followed.
    """

    def __init__(
        self,
        kinematics: Fr3Kinematics,
        limits: JointLimits,
        workspace: Workspace,
        config: ChunkConfig | None = None,
    ) -> None:
        self._kinematics, self._limits, self._workspace = kinematics, limits, workspace
        self._inner = limits.reduced(margin=INSET)
        self._config = config or ChunkConfig()
        self._pieces: deque[tuple[float, Trajectory]] = deque(maxlen=8)
        self._past: deque[tuple[Array, Array]] = deque(maxlen=self._config.remembered)
        self._q = np.zeros(ARM_DOF)

    def begin(self, q: Array, dq: Array | None = None, t: float = 0.0) -> None:
        """Starts from a configuration (7,), rad, at rest; or as it moves with ``dq`` at ``t``."""
        self._q = np.array(q, dtype=np.float64)
        self._pieces.clear()
        self._past.clear()
        if dq is not None and np.abs(dq).max() > 0.0:
            start = self._q, np.array(dq, dtype=np.float64), np.zeros(ARM_DOF)
            self._pieces.append((t, self._stopping(start, LONGEST)))

    def reference(self, t: float) -> Sample:
        """Where the arm is told to be at a time, s: q, dq, ddq, each (7,)."""
        for began, motion in reversed(self._pieces):
            if t >= began:
                return motion.sample(t - began)
        return self._q.copy(), np.zeros(ARM_DOF), np.zeros(ARM_DOF)

    def chunk(self, targets: Targets, begin: float, now: float) -> Chunk:
        """Makes the next chunk.

        Args:
            targets: Of the policy; those before ``begin`` have passed.
            begin: When it takes over, s.
            now: Its times count from here, s; not after ``begin``.

        Raises:
            ValueError: All targets have passed.
        """
        ahead = targets.t > begin
        if not ahead.any():
            raise ValueError("all targets have passed")
        start = self.reference(begin)
        self._past.append((targets.t[ahead], self._joints(targets, ahead)))
        t, q, weight = self._ensemble(begin)
        for dearer, slower, share in CALMER:
            duration = min(LONGEST - (begin - now), slower * float(targets.t[-1] - begin))
            price = dearer * self._config.jerk_price
            near = start[0] + share * (q - start[0])
            way = self._way(start, slower * (t - begin), near, weight, duration, price)
            if self._fits(way):
                return self._send(way, begin, now, slower)
        return self.stop(begin, now)

    def stop(self, begin: float, now: float) -> Chunk:
        """A chunk that brings the arm to rest from a time on."""
        self._past.clear()
        way = self._stopping(self.reference(begin), LONGEST - (begin - now))
        return self._send(way, begin, now, np.inf)

    def _stopping(self, start: Sample, longest: float) -> Trajectory:
        q, dq, ddq = start
        rest = np.zeros(ARM_DOF)
        for share in STOPS:
            slowing = float(np.max(np.abs(dq) / (share * self._limits.ddq_max)))
            duration = min(longest, max(0.3, 2.0 * slowing))
            way = Trajectory(
                np.array([0.0, duration]),
                np.vstack([q, q + 0.5 * duration * dq]),
                np.vstack([dq, rest]),
                np.vstack([ddq, rest]),
            )
            if self._fits(way):
                break
        return way

    def _joints(self, targets: Targets, ahead: NDArray[np.bool_]) -> Array:
        q = np.clip(targets.q[ahead], self._inner.q_min, self._inner.q_max)
        if targets.T_base_tcp is None:
            return q
        return reach_poses(
            self._kinematics, q, self._inside(targets.T_base_tcp[ahead]), self._inner
        )

    def _inside(self, T_base_tcp: Array) -> Array:
        """The poses, moved so far that fingertips and TCP are in the workspace."""
        moved = T_base_tcp.copy()
        lower = np.array(self._workspace.lower) + INSIDE
        upper = np.array(self._workspace.upper) - INSIDE
        tips = np.array([*guarded_points_at(moved).values()])
        moved[:, :3, 3] += np.maximum(lower - tips.min(0), 0.0) - np.maximum(
            tips.max(0) - upper, 0.0
        )
        return moved

    def _ensemble(self, begin: float) -> tuple[Array, Array, Array]:
        """Targets still ahead: times, joints, and weights, of which those of a chunk are alike."""
        times, joints, weights = [], [], []
        for age, (t, q) in enumerate(reversed(self._past)):
            weight = self._config.ensemble**age
            ahead = t > begin
            if weight < 1e-3 or not ahead.any():
                break
            times.append(t[ahead])
            joints.append(q[ahead])
            weights.append(np.full(int(ahead.sum()), weight))
        return np.concatenate(times), np.concatenate(joints), np.concatenate(weights)

    def _way(
        self, start: Sample, t: Array, q: Array, weight: Array, duration: float, jerk_price: float
    ) -> Trajectory:
        within = t <= duration + 1e-9
        return smooth_way(
            start,
            t[within],
            q[within],
            weight[within],
            duration=duration,
            step=self._config.step,
            jerk_price=jerk_price,
        )

    def _fits(self, way: Trajectory) -> bool:
        try:
            q = check_motion(way, way.t, self._limits)
        except TrajectoryRejected:
            return False
        return leaves(self._kinematics, self._workspace, q) is None

    def _send(self, way: Trajectory, begin: float, now: float, slower: float) -> Chunk:
        """The chunk of a way, with what leads to it, and takes down where the arm will be."""
        knots = [began + motion.t for began, motion in self._pieces]
        before = np.sort(np.concatenate([[now], *knots, [begin]]))
        # Knots of different chunks fall together, but for rounding.
        before = before[np.diff(before, prepend=-np.inf) > SAME]
        before = before[(before > now + SAME) & (before < begin - SAME)]
        leading = [self.reference(float(t)) for t in before]
        points = [np.array([p[k] for p in leading] or np.empty((0, ARM_DOF))) for k in range(3)]
        assert way.dq is not None and way.ddq is not None
        first = 1 if begin <= now else 0  # a body goes on from where it is
        chunk = Trajectory(
            np.concatenate([before, begin + way.t[first:]]) - now,
            np.vstack([points[0], way.q[first:]]),
            np.vstack([points[1], way.dq[first:]]),
            np.vstack([points[2], way.ddq[first:]]),
        )
        self._pieces = deque((p for p in self._pieces if p[0] < begin), self._pieces.maxlen)
        self._pieces.append((begin, way))
        return Chunk(chunk, slower)
