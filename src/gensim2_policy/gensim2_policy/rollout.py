"""A policy performs a task, from its start to its end, free of transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from gensim2_control.hardware import FINGER_MAX, Array
from gensim2_control.trajectory import Trajectory

from .acting import Policy, PolicyError, Targets
from .chunk_maker import ChunkMaker
from .seen import Seen

OFF = 0.02
"""How far the body's reference may be from ours, rad: a chunk was refused, or came late."""
AT_REST = 0.01  # rad/s
GRIP = 0.003
"""Change of the wanted finger position from which on it is a new goal, m."""
PATIENCE = 2.0
"""Times the longest demonstration of a task, after which a policy is done with it."""
TOO_SLOW = 3
"""Chunks in a row that come when all of their targets have passed, after which it ends."""
STILL = 0.05
"""Way of any joint within a chunk below which it asks for nothing, rad, at most.

One of a policy at rest that was trained for half an hour trembles by 0.02 to 0.04. Where chunks of
demonstrations go less than twice as far, half of their way is the bound; see `still_below`.
"""


class End(IntEnum):
    """How it ended; the values of gensim2_msgs/action/ExecuteTask."""

    NONE = 0
    PLAN_FAILED = 2
    GOAL_REJECTED = 3
    EXECUTION_FAILED = 4
    SENSOR_STALE = 5
    TIMEOUT = 6
    CANCELED = 7


class RolloutError(RuntimeError):
    """The task cannot go on; ``end`` says how it ends."""

    def __init__(self, end: End, text: str) -> None:
        super().__init__(text)
        self.end = end


@dataclass(frozen=True)
class BodyNews:
    """What the body last said.

    Attributes:
        q_ref: Reference of the arm (7,), rad.
        dq_ref: Its velocity (7,), rad/s.
        t: When that was, s.
        fault: Why no motion is possible; empty = it is.
    """

    q_ref: Array
    dq_ref: Array
    t: float
    fault: str = ""


class Robot(Protocol):
    """Eyes and body, as a policy uses them."""

    def now(self) -> float:
        """The time, s."""

    def body(self) -> BodyNews:
        """What the body last said."""

    def observe(self, after: float) -> Seen:
        """Waits for an observation later than a time, s.

        Raises:
            RolloutError: There is none, or the task has been cancelled.
        """

    def send(self, trajectory: Trajectory, t: float) -> None:
        """Streams a chunk whose times count from ``t``, s."""

    def grip(self, position: float) -> None:
        """Moves the fingers, m; does not wait."""

    def acted(self, t: float) -> None:
        """The observation of ``t`` has been acted on: a simulation may go on."""

    def finish(self) -> None:
        """No more chunks come; waits until the arm rests."""


@dataclass(frozen=True)
class RolloutConfig:
    """Times, s.

    Attributes:
        latency: From an observation to the chunk made of it taking over: time to look and think.
        lead: Least time from the making of a chunk to its taking over.
        every: Least time between two observations that are acted on.
        rest: How long the policy must ask for no motion for the task to count as performed.
        limit: After which the policy is done, whatever it asks for.
        timeout: After which the task has failed.
        still: See `still_below`.
    """

    latency: float = 0.2
    lead: float = 0.06
    every: float = 0.1
    rest: float = 1.5
    limit: float = 15.0
    timeout: float = 120.0
    still: float = STILL


def still_below(slowest: float) -> float:
    """Way of any joint within a chunk below which a policy asks for nothing, rad.

    Args:
        slowest: Way in a slow chunk of the demonstrations, rad; 0 = unknown.
    """
    return min(STILL, 0.5 * slowest) if slowest else STILL


@dataclass(frozen=True)
class Rollout:
    """What became of it.

    Attributes:
        end: How it ended.
        text: Why.
        started: s.
        ended: s.
        chunks: How many were sent.
        late: Of them after their time.
        slowed: Of them slower than the policy asked for.
        latency: Mean time from an observation to its chunk, s.
    """

    end: End
    text: str
    started: float
    ended: float
    chunks: int
    late: int
    slowed: int
    latency: float


def perform(
    policy: Policy,
    maker: ChunkMaker,
    robot: Robot,
    config: RolloutConfig,
    told: Callable[[float, float], None] = lambda progress, latency: None,
) -> Rollout:
    """Lets the policy act until it asks for no more motion, or time is up.

    Args:
        policy: For which ``begin`` has been called.
        maker: Makes chunks.
        robot: Eyes and body.
        config: Times.
        told: Called after every chunk with the progress, 0 to 1, and the latency, s.
    """
    act = _Acting(policy, maker, robot, config, told)
    started = robot.now()
    try:
        end, text = act.until_done()
    except RolloutError as error:
        end, text = error.end, str(error)
    except PolicyError as error:
        end, text = End.PLAN_FAILED, str(error)
    finally:
        act.halt()
    count = max(1, act.chunks)
    return Rollout(
        end, text, started, robot.now(), act.chunks, act.late, act.slowed, act.waited / count
    )


class _Acting:
    def __init__(
        self,
        policy: Policy,
        maker: ChunkMaker,
        robot: Robot,
        config: RolloutConfig,
        told: Callable[[float, float], None],
    ) -> None:
        self._policy, self._maker, self._robot, self._config = policy, maker, robot, config
        self._told = told
        self.chunks = self.late = self.slowed = 0
        self.waited = 0.0
        self._finger: float | None = None
        self._started = np.inf
        self._moved = False
        self._slow = 0
        self._still_since: float | None = None

    def until_done(self) -> tuple[End, str]:
        config, robot = self._config, self._robot
        seen = robot.observe(-np.inf)
        self._healthy()
        started, self._finger = seen.t, float(seen.finger[-1])
        # What the body says of its reference may be from before the scene was set up.
        self._started = started
        self._maker.begin(seen.q[-1])
        while True:
            self._step(seen)
            elapsed = seen.t - started
            self._told(min(1.0, elapsed / config.limit), self.waited / max(1, self.chunks))
            robot.acted(seen.t)
            if self._still_since is not None and seen.t - self._still_since >= config.rest:
                return End.NONE, "the policy asks for no more motion"
            if elapsed >= config.timeout:
                return End.TIMEOUT, f"not done within {config.timeout:g} s"
            if elapsed >= config.limit:
                return End.NONE, f"the time of the task is up ({config.limit:g} s)"
            seen = robot.observe(seen.t + config.every - 0.02)

    def halt(self) -> None:
        """Brings the arm to rest."""
        now, body = self._robot.now(), self._robot.body()
        if self.chunks and not body.fault and np.abs(body.dq_ref).max() >= AT_REST:
            self._robot.send(self._maker.stop(now + self._config.lead, now).trajectory, now)
        self._robot.finish()

    def _healthy(self) -> BodyNews:
        body = self._robot.body()
        if body.fault:
            raise RolloutError(End.EXECUTION_FAILED, body.fault)
        return body

    def _step(self, seen: Seen) -> None:
        targets = self._policy.act(seen)
        body, now = self._healthy(), self._robot.now()
        begin = max(seen.t + self._config.latency, now + self._config.lead)
        self._slow = self._slow + 1 if begin >= targets.t[-1] else 0
        if self._slow >= TOO_SLOW:
            raise RolloutError(
                End.EXECUTION_FAILED,
                f"the policy has needed {now - seen.t:.2f} s, its chunks reach "
                f"{targets.t[-1] - seen.t:.2f} s ahead: take a faster computer or a smaller policy",
            )
        if self._slow:
            return  # All that was wanted has passed; the arm does what it was told before.
        self.late += begin > seen.t + self._config.latency + 1e-6
        self.waited += now - seen.t
        q, _, _ = self._maker.reference(body.t)
        if body.t > self._started and np.abs(body.q_ref - q).max() > OFF:
            self._maker.begin(body.q_ref, body.dq_ref, body.t)
        # A body refuses what is old when it comes, and takes what is of the near future.
        stamp = 0.5 * (now + begin)
        chunk = self._maker.chunk(targets, begin, stamp)
        self.chunks += 1
        self.slowed += chunk.slower > 1.0
        self._robot.send(chunk.trajectory, stamp)
        gripping = self._grip(targets, begin)
        self._look_for_rest(seen.t, chunk.trajectory, gripping)

    def _grip(self, targets: Targets, begin: float) -> bool:
        wanted = float(np.clip(np.interp(begin, targets.t, targets.finger), 0.0, FINGER_MAX))
        if self._finger is not None and abs(wanted - self._finger) < GRIP:
            return False
        self._finger = wanted
        self._robot.grip(wanted)
        return True

    def _look_for_rest(self, t: float, chunk: Trajectory, gripping: bool) -> None:
        still = not gripping and float(np.ptp(chunk.q, axis=0).max()) < self._config.still
        self._moved = self._moved or not still
        if not (still and self._moved):
            self._still_since = None
        elif self._still_since is None:
            self._still_since = t
