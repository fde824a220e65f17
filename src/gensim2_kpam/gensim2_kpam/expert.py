"""The kPAM expert: performs a task by planning each sub-task and sending its phases to the body.

After each sub-task it looks at what has become of it. Where it is not done, it plans again from
what it sees, a bounded number of times; and where something that has to hold for it does not hold
any more, it goes back to that.

Free of transport: ``Performer`` is the body contract as the expert needs it, which the node
implements with actions and the batch runner with calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from gensim2_control.trajectory import Trajectory
from gensim2_tasks.failure import FailureKind
from gensim2_tasks.specs import TaskSpec

from .performance import (
    ExpertCode,
    ExpertError,
    Observed,
    Performance,
    SubtaskTry,
    failure_of_code,
    failure_of_plan,
    failure_of_scene,
)
from .plan import Phase, Plan, PlanCode, PlanFailure

APPROACH, ACTUATE, SETTLE = "approach", "actuate", "settle"
FREE = (APPROACH, "reach", "move")  # motions that touch nothing but what is held
# rad; a free motion that is this far off has hit something it should not have.
FREE_PATH_TOLERANCE = 0.1
UNLIMITED = -1.0
RETRIES = 2  # tries at a sub-task beyond the first
WAIT = 0.5  # s between two looks at a sub-task that may yet come to rest
PATIENCE = 3.0  # s after the motions of a sub-task, in which it may
# What other random samples may mend; any other plan would fail again where nothing has changed.
BY_CHANCE = (PlanCode.TRANSIT_FAILED, PlanCode.RETIMING_FAILED)


class Performer(Protocol):
    """What the expert needs of the graph. Every method blocks until it is done.

    ``follow`` and ``grip`` raise ``ExpertError`` where the body refuses or aborts.
    """

    def now(self) -> float:
        """ROS time, s."""

    def plan(self, task: TaskSpec, subtask: int, attempt: int) -> Plan | PlanFailure:
        """Plans a sub-task on the present scene; ``attempt`` counts the plans for it from 0."""

    def follow(self, trajectory: Trajectory, path_tolerance: float, goal_tolerance: float) -> None:
        """Moves the arm. Tolerances in rad; 0 = default, negative = unlimited."""

    def grip(self, position: float, effort: float) -> bool:
        """Moves the fingers (m, N); True where they were stopped by something between them."""

    def observe(self, task: TaskSpec) -> Observed:
        """Looks at the scene once the arm rests, never at one from before the last motion."""


def perform(
    task: TaskSpec,
    performer: Performer,
    progress: Callable[[str, float], None] = lambda stage, share: None,
    retries: int = RETRIES,
) -> Performance:
    """Performs a task. Never raises ``ExpertError``: a failure is in the result.

    Args:
        task: What to do.
        performer: The graph.
        progress: Told the name of each stage and the share that is done.
        retries: Tries at each sub-task beyond the first.
    """
    return _Course(task, performer, progress, retries).run()


class _Course:
    """One task from its start to its end."""

    def __init__(
        self,
        task: TaskSpec,
        performer: Performer,
        progress: Callable[[str, float], None],
        retries: int,
    ) -> None:
        self._task, self._performer = task, performer
        self._progress, self._retries = progress, retries
        count = len(task.subtasks)
        self._seen = Observed((False,) * count)
        self._carried_out = [False] * count  # to the end, by the last try
        self._attempts = [0] * count
        self._tries: list[SubtaskTry] = []
        self._plan_time, self._share = 0.0, 0.0
        self._actuated: float | None = None
        self._phase, self._gripped = "", False  # of the present try

    def run(self) -> Performance:
        """Performs the task."""
        started = self._performer.now()
        code, text = ExpertCode.NONE, ""
        try:
            self._perform()
        except ExpertError as error:
            code, text = error.code, str(error)
        return Performance(
            self._plan_time,
            started,
            self._performer.now(),
            self._actuated,
            tuple(self._tries),
            code,
            text,
        )

    def _perform(self) -> None:
        for number in range(len(self._task.subtasks)):
            last: ExpertError | None = None
            while not self._holds(number):
                stage = self._stage(number)
                if self._attempts[stage] > self._retries:
                    if last is not None:
                        raise last
                    # Everything was done that could be: it is for the judge to say so.
                    return
                last = self._try(stage)

    def _holds(self, number: int) -> bool:
        """Whether a sub-task is done; where nobody can tell, having been carried out must do."""
        done = self._seen.done[number]
        return self._carried_out[number] if done is None else done

    def _stage(self, number: int) -> int:
        """Where to go on, to get a sub-task done: at the first need that does not hold, if any."""
        for need in self._task.needs(number):
            if not self._holds(need):
                return self._stage(need)
        return number

    def _try(self, stage: int) -> ExpertError | None:
        """One try at a sub-task; returns what ended it early, if another may do better.

        Raises:
            ExpertError: The task cannot go on.
        """
        begin, before = self._performer.now(), self._seen
        attempt = self._attempts[stage]
        self._attempts[stage] += 1
        self._carried_out[stage], self._phase, self._gripped = False, "plan", False
        self._tell("plan", stage, 0.0)
        outcome = self._performer.plan(self._task, stage, attempt)
        self._plan_time += outcome.cpu_time

        def ended(failure: FailureKind | None, error: ExpertError | None) -> None:
            self._tries.append(
                SubtaskTry(
                    self._task.subtasks[stage].name,
                    attempt + 1,
                    outcome.report,
                    begin,
                    self._performer.now(),
                    failure,
                    "" if error is None else str(error),
                )
            )

        if isinstance(outcome, PlanFailure):
            error = ExpertError(
                ExpertCode.PLAN_FAILED,
                f"{outcome.code.name.lower()}: {outcome.reason}",
                again=outcome.code in BY_CHANCE,
            )
            ended(failure_of_plan(outcome.code), error)
            if not error.again:
                raise error
            return error
        trouble: ExpertError | None = None
        try:
            trouble = self._carry_out(outcome, stage)
        except ExpertError as error:
            hit = error.again and self._phase in FREE
            ended(FailureKind.COLLISION if hit else failure_of_code(error.code), error)
            raise
        failure = None
        if not self._holds(stage):
            hit = trouble is not None and self._phase in FREE
            gripped = self._gripped and self._task.subtasks[stage].skill == "pick"
            failure = failure_of_scene(self._task, before, self._seen, gripped=gripped, hit=hit)
        ended(failure, trouble)
        return trouble

    def _carry_out(self, plan: Plan, stage: int) -> ExpertError | None:
        """Sends a plan and looks at what has become of it; returns what ended it early, if so."""
        try:
            for index, phase in enumerate(plan.phases):
                self._phase = phase.name
                self._tell(phase.name, stage, index / len(plan.phases))
                if phase.name == ACTUATE and self._actuated is None:
                    self._actuated = self._performer.now()
                self._send(phase)
        except ExpertError as error:
            if not error.again:
                raise
            self._seen = self._performer.observe(self._task)
            if self._seen.done[stage] is None:
                # Who does not see what has been hit would do the same again.
                raise
            return error
        # A hand that nobody else watches knows at least whether it has closed on something.
        self._carried_out[stage] = self._gripped or self._task.subtasks[stage].skill != "pick"
        self._seen = self._performer.observe(self._task)
        arm = [p.trajectory for p in plan.phases if p.trajectory is not None]
        waited = 0.0
        while arm and self._seen.done[stage] is False and waited < PATIENCE:
            self._tell("wait", stage, 1.0)
            self._performer.follow(_hold(arm[-1]), UNLIMITED, UNLIMITED)
            waited += WAIT
            self._seen = self._performer.observe(self._task)
        return None

    def _send(self, phase: Phase) -> None:
        if phase.gripper is not None:
            self._gripped = self._performer.grip(*phase.gripper)
        elif phase.trajectory is not None:
            if phase.name in FREE:
                self._performer.follow(phase.trajectory, FREE_PATH_TOLERANCE, 0.0)
            else:
                # In contact the arm lags behind its reference by design.
                self._performer.follow(phase.trajectory, UNLIMITED, UNLIMITED)

    def _tell(self, what: str, stage: int, share: float) -> None:
        # Who goes back has come farther before, and says so.
        self._share = max(self._share, (stage + share) / len(self._task.subtasks))
        self._progress(what, self._share)


def _hold(trajectory: Trajectory) -> Trajectory:
    """Stays for some time where a trajectory has led: time goes on only while something moves."""
    return Trajectory(np.array([0.0, WAIT]), np.vstack([trajectory.q[-1]] * 2))
