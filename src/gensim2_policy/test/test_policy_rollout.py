"""A rollout over a robot in memory: when it ends, what it sends, and what it tells."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from gensim2_control.description import robot_description
from gensim2_control.hardware import HOME_Q
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.trajectory import Trajectory
from gensim2_policy.acting import Policy, PolicyError, Targets
from gensim2_policy.chunk_maker import ChunkMaker
from gensim2_policy.demonstrations import slowest_chunk
from gensim2_policy.rollout import (
    BodyNews,
    End,
    RolloutConfig,
    RolloutError,
    perform,
    still_below,
)
from gensim2_policy.seen import Seen
from gensim2_policy.untrained import save_untrained

sys.path.insert(0, str(Path(__file__).parent))

from policy_samples import demonstration

KINEMATICS = Fr3Kinematics.from_urdf(robot_description())
LIMITS = JointLimits.fr3().reduced(0.055, 0.7, 0.7).stoppable_within(0.27)
WORKSPACE = Workspace((-0.3, -0.8, 0.002), (0.9, 0.8, 1.2))
CONFIG = RolloutConfig(limit=4.0, timeout=20.0)


class Robot:
    """Follows every chunk perfectly; a clock that goes on when it is looked at."""

    def __init__(self, blind_at: float = np.inf, broken_at: float = np.inf) -> None:
        self.t, self.blind_at, self.broken_at = 0.0, blind_at, broken_at
        self.sent: list[tuple[Trajectory, float]] = []
        self.grips: list[float] = []
        self.acted_on: list[float] = []
        self.finished = 0

    def reference(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        for chunk, at in reversed(self.sent):
            if t >= at + chunk.t[0]:
                q, dq, _ = chunk.sample(t - at)
                return q, dq if t - at < chunk.duration else np.zeros(7)
        return np.array(HOME_Q), np.zeros(7)

    def now(self) -> float:
        return self.t

    def body(self) -> BodyNews:
        q, dq = self.reference(self.t)
        return BodyNews(q, dq, self.t, "STOPPED" if self.t >= self.broken_at else "")

    def observe(self, after: float) -> Seen:
        while self.t <= after:
            self.t += 0.1
        if self.t >= self.blind_at:
            raise RolloutError(End.SENSOR_STALE, "no new cloud")
        q, _ = self.reference(self.t)
        T = KINEMATICS.fk(q)
        pose = np.tile([*T[:3, 3], 1.0, 0.0, 0.0, 0.0], (2, 1))
        return Seen(self.t, pose, np.tile(q, (2, 1)), np.full(2, 0.04))

    def send(self, trajectory: Trajectory, t: float) -> None:
        self.sent.append((trajectory, t))

    def grip(self, position: float) -> None:
        self.grips.append(position)

    def acted(self, t: float) -> None:
        self.acted_on.append(t)

    def finish(self) -> None:
        self.finished += 1


class Scripted(Policy):
    """Turns the first joint for a while, and closes the fingers at its end."""

    def __init__(self, run: Path, until: float) -> None:
        super().__init__(save_untrained(run, "action.space=joints", "augment.shift=0"))
        self.until = until

    def act(self, seen: Seen) -> Targets:
        t = seen.t + 0.1 * np.arange(1, 17)
        q = np.tile(HOME_Q, (16, 1))
        q[:, 0] += 0.2 * np.clip(t, 0.0, self.until)
        return Targets(t, np.where(t < self.until, 0.04, 0.0), q)


def run(tmp_path: Path, robot: Robot, until: float = 1.5, config: RolloutConfig = CONFIG) -> End:
    maker = ChunkMaker(KINEMATICS, LIMITS, WORKSPACE)
    return perform(Scripted(tmp_path / "run", until), maker, robot, config).end


def test_it_is_done_when_no_more_motion_is_asked_for(tmp_path: Path) -> None:
    robot = Robot()
    assert run(tmp_path, robot) is End.NONE
    assert 2.0 <= robot.t < CONFIG.limit and robot.finished == 1
    assert abs(robot.reference(robot.t)[0][0] - 0.3) < 0.02
    assert len(robot.grips) == 1 and robot.grips[0] < 0.003
    assert robot.acted_on == pytest.approx(np.arange(0.0, robot.t + 0.05, 0.1), abs=1e-9)


class Trembling(Scripted):
    """Is never quite still: its chunks have an error of 5 mrad at every step."""

    def act(self, seen: Seen) -> Targets:
        targets = super().act(seen)
        noise = np.random.default_rng(round(10.0 * seen.t)).normal(0.0, 0.005, targets.q.shape)
        return dataclasses.replace(targets, q=targets.q + noise)


def test_a_policy_that_trembles_at_rest_is_done_all_the_same(tmp_path: Path) -> None:
    """No network says the same position for ever."""
    robot, maker = Robot(), ChunkMaker(KINEMATICS, LIMITS, WORKSPACE)
    rollout = perform(Trembling(tmp_path / "run", 1.5), maker, robot, CONFIG)
    assert rollout.text == "the policy asks for no more motion" and robot.t < CONFIG.limit


def test_slow_demonstrations_are_not_taken_for_rest(tmp_path: Path) -> None:
    """What is rest to a policy of fast ones is motion to one of slow ones."""
    slow = [demonstration(0, 20, q_ref=np.linspace(0.0, 0.04, 20)[:, None] * np.ones(7))]
    way = slowest_chunk(slow, 16)
    assert way == pytest.approx(0.04 * 15 / 19)
    assert still_below(way) == pytest.approx(0.5 * way)
    assert still_below(1.0) == still_below(0.0)
    assert slowest_chunk(slow, 21) == 0.0

    class Slow(Scripted):
        def act(self, seen: Seen) -> Targets:
            targets = super().act(seen)
            targets.q[:, 0] += 0.015 * np.maximum(targets.t - self.until, 0.0)
            return dataclasses.replace(targets, finger=np.full(16, 0.04))

    ended = []
    for slowest in (0.0, way):
        robot, maker = Robot(), ChunkMaker(KINEMATICS, LIMITS, WORKSPACE)
        config = dataclasses.replace(CONFIG, still=still_below(slowest))
        ended.append(perform(Slow(tmp_path / "run", 1.0), maker, robot, config).text)
    assert ended == ["the policy asks for no more motion", "the time of the task is up (4 s)"]


@pytest.mark.parametrize(
    ("limit", "timeout", "end"), [(1.0, 9.0, End.NONE), (9.0, 1.0, End.TIMEOUT)]
)
def test_its_time_is_up_and_a_timeout_is_a_failure(
    tmp_path: Path, limit: float, timeout: float, end: End
) -> None:
    robot = Robot()
    assert run(tmp_path, robot, 30.0, RolloutConfig(limit=limit, timeout=timeout)) is end
    assert 1.0 <= robot.t < 1.3
    last, at = robot.sent[-1]
    assert last.dq is not None and np.abs(last.dq[-1]).max() < 0.02, "it is brought to rest"
    assert at + last.t[0] >= robot.t


def test_what_goes_wrong_ends_it_with_its_reason(tmp_path: Path) -> None:
    blind = Robot(blind_at=0.75)
    assert run(tmp_path, blind) is End.SENSOR_STALE and blind.finished == 1
    broken = Robot(broken_at=0.75)
    sent = []
    assert run(tmp_path, broken) is End.EXECUTION_FAILED
    sent = [at for _, at in broken.sent if at >= 0.75 + 0.1]
    assert not sent, "nothing is sent to a robot that has stopped"


class Confused(Scripted):
    """Says what no arm can do, after a while."""

    def act(self, seen: Seen) -> Targets:
        if seen.t > 0.55:
            raise PolicyError("the policy says numbers that are not finite")
        return super().act(seen)


def test_a_policy_that_fails_ends_the_task_and_leaves_no_arm_in_motion(tmp_path: Path) -> None:
    robot = Robot()
    maker = ChunkMaker(KINEMATICS, LIMITS, WORKSPACE)
    rollout = perform(Confused(tmp_path / "run", 9.0), maker, robot, CONFIG)
    assert (rollout.end, rollout.text) == (
        End.PLAN_FAILED,
        "the policy says numbers that are not finite",
    )
    last, _ = robot.sent[-1]
    assert last.dq is not None and np.abs(last.dq[-1]).max() < 0.02 and robot.finished == 1


def test_a_policy_that_is_too_slow_for_its_own_chunks_is_told(tmp_path: Path) -> None:
    """It would only ever ask for what has passed."""

    class Slow(Robot):
        def now(self) -> float:
            return self.t + 1.7

    robot = Slow()
    maker = ChunkMaker(KINEMATICS, LIMITS, WORKSPACE)
    rollout = perform(Scripted(tmp_path / "run", 3.0), maker, robot, CONFIG)
    assert rollout.end is End.EXECUTION_FAILED and "1.70 s" in rollout.text
    assert not robot.sent and robot.finished == 1


def test_a_chunk_takes_over_after_the_latency_and_the_future_is_stamped(tmp_path: Path) -> None:
    """However far the robot is when it comes, the arm goes on as it was told before."""
    robot = Robot()
    run(tmp_path, robot, until=3.0)
    for number, t in enumerate(robot.acted_on[:-1]):
        _, stamp = robot.sent[number]
        assert t < stamp <= t + CONFIG.latency
    q = np.array([robot.reference(t)[0][0] for t in np.arange(0.3, 2.5, 0.02)])
    assert np.abs(np.diff(q, n=2)).max() / 0.02**2 < 10.0
    assert np.diff(q).min() > -1e-6
