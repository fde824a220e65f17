"""Generates tasks: asks a source, verifies by execution, keeps what holds, records every decision.

Candidates are verified while the source makes the next ones, and judged in the order in which they
were proposed, so that the outcome does not depend on which process was faster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from gensim2_tasks.catalogue import load_task, task_names
from gensim2_tasks.specs import TaskSpec

from .candidate import Candidate
from .library_files import LibraryError
from .novelty import Memory, Novelty
from .outcome import Counts, Decision, End, Outcome, Progress
from .source import BudgetError, ExhaustedError, Known, Proposed, Refused, Source, SourceError
from .verdict import Verdict
from .verify_pool import Canceled, VerifierError

POLL = 0.2  # s between two looks at whether it shall end


@dataclass(frozen=True)
class Options:
    """How many tries there are, and what is new.

    Attributes:
        proposals: Most proposals for one task that is wanted.
        repairs: Times a candidate is sent back with the reason of its failure.
        distance: Cosine distance of the instruction to every known one, at least.
        paraphrase: Whether only the instruction has to be new.
        ahead: Candidates that may be waiting to be verified.
        timeout: s; 0 = none.
    """

    proposals: int = 10
    repairs: int = 2
    distance: float = 0.02
    paraphrase: bool = False
    ahead: int = 2
    timeout: float = 0.0


class Pool(Protocol):
    """Verifies candidates side by side; see `verify_pool.VerifyPool`."""

    def submit(self, candidate: Candidate) -> Future[Verdict]:
        """Begins to verify a candidate."""


class Shelf(Protocol):
    """Where tasks are kept; see `library.TaskLibrary`."""

    def names(self) -> list[str]:
        """Names of the accepted tasks."""

    def load(self, name: str) -> Candidate:
        """One of them.

        Raises:
            LibraryError: It cannot be read.
        """

    def add(self, candidate: Candidate, verdict: Verdict, novelty: Novelty) -> Path:
        """Keeps an accepted task; returns its file.

        Raises:
            LibraryError: There is one of this name by now.
            OSError: It cannot be written.
        """

    def reject(
        self, proposed: Proposed, stage: str, reason: str, verdict: Verdict | None = None
    ) -> Path:
        """Keeps the record of a rejection; returns its file."""


@dataclass
class _Waiting:
    """A candidate that is being verified."""

    candidate: Candidate
    novelty: Novelty
    future: Future[Verdict]


def generate(
    source: Source,
    pool: Pool,
    library: Shelf,
    wanted: int,
    *,
    run: Path,
    clock: Callable[[], float],
    options: Options | None = None,
    told: Callable[[Progress], None] = lambda progress: None,
    decided: Callable[[Decision, Verdict | None], None] = lambda decision, verdict: None,
    cancelled: Callable[[], bool] = lambda: False,
    before: tuple[Decision, ...] = (),
    began: float | None = None,
) -> Outcome:
    """Generates tasks until enough are accepted.

    Args:
        source: Proposes.
        pool: Verifies.
        library: Keeps.
        wanted: Tasks to be accepted.
        run: Folder of the record, for the outcome.
        clock: Gives s.
        options: How many tries there are.
        told: Called at every step.
        decided: Called for every proposal, once it is known what becomes of it.
        cancelled: Asked at every step whether to end.
        before: Decisions of a run that is gone on with.
        began: From when on the time counts, by the clock; None = now.
    """
    began = clock() if began is None else began
    options = options or Options()
    loop = _Loop(
        source, pool, library, wanted, run, clock, options, told, decided, cancelled, began
    )
    return loop.run(before)


class _End(Exception):  # noqa: N818 - the way out of the loop
    def __init__(self, end: End, text: str) -> None:
        super().__init__(text)
        self.end = end


class _Loop:
    def __init__(
        self,
        source: Source,
        pool: Pool,
        library: Shelf,
        wanted: int,
        run: Path,
        clock: Callable[[], float],
        options: Options,
        told: Callable[[Progress], None],
        decided: Callable[[Decision, Verdict | None], None],
        cancelled: Callable[[], bool],
        began: float,
    ) -> None:
        self._source, self._pool, self._library = source, pool, library
        self._wanted, self._run, self._clock, self._options = wanted, run, clock, options
        self._told, self._decided, self._cancelled = told, decided, cancelled
        self._began = began
        self._counts = Counts()
        self._decisions: list[Decision] = []
        self._memory = Memory()
        self._names: list[str] = []
        self._instructions: list[str] = []
        self._waiting: deque[_Waiting] = deque()
        self._exhausted = ""

    def run(self, before: tuple[Decision, ...]) -> Outcome:
        """See `generate`."""
        for name in task_names():
            self._know(load_task(name))
        for name in self._library.names():
            try:
                self._know(self._library.load(name).task)
            except LibraryError:
                self._names.append(name)  # broken, but its name is taken
                self._instructions.append("")
        for decision in before:
            self._go_on_from(decision)
        end, text = End.NONE, ""
        try:
            while self._counts.accepted < self._wanted:
                self._check()
                if self._may_propose():
                    self._propose()
                elif self._waiting:
                    self._judge(self._waiting.popleft())
                else:
                    raise _End(End.NOT_ENOUGH, self._exhausted or self._given_up())
        except _End as over:
            end, text = over.end, str(over)
        except BudgetError as error:
            end, text = End.BUDGET, str(error)
        except SourceError as error:
            end, text = self._why(error)
        except VerifierError as error:
            end, text = End.INTERNAL, str(error)
        except (LibraryError, OSError) as error:
            end, text = End.INTERNAL, f"the library or the run cannot be written: {error}"
        for left in self._waiting:
            left.future.cancel()
        seconds = self._clock() - self._began
        self._tell("done", "", text or f"{self._counts.accepted} tasks accepted")
        return Outcome(tuple(self._decisions), self._counts, end, text, seconds, self._run)

    def _know(self, task: TaskSpec) -> None:
        self._memory.add(task)
        self._names.append(task.name)
        self._instructions.append(task.instruction)

    def _go_on_from(self, decision: Decision) -> None:
        self._names.append(decision.name)
        self._instructions.append(decision.instruction)
        self._decisions.append(decision)
        self._count(decision)

    def _may_propose(self) -> bool:
        if self._exhausted or len(self._waiting) >= max(1, self._options.ahead):
            return False
        # What is being verified may be enough already.
        hoped = self._counts.accepted + len(self._waiting)
        proposed = self._counts.proposed + len(self._waiting)
        return hoped < self._wanted and proposed < self._options.proposals * self._wanted

    def _propose(self) -> None:
        self._tell("propose", "", "")
        try:
            proposed = self._source.propose(Known(tuple(self._names), tuple(self._instructions)))
        except ExhaustedError as error:
            self._exhausted = str(error)
            return
        self._take(proposed)

    def _take(self, proposed: Proposed, repaired: str = "") -> None:
        """Sends a proposal to the verification, or says why not.

        ``repaired`` is the rejected task that it is made of.
        """
        if isinstance(proposed, Refused):
            self._reject(proposed, proposed.stage, proposed.reason)
            return
        novelty = self._memory.novelty(proposed.task, repaired)
        problem = novelty.problem(self._options.distance, self._options.paraphrase)
        if proposed.name in self._names and proposed.name != repaired:
            problem = f"a task is named {proposed.name} already"
        if problem:
            self._reject(proposed, "novelty", problem, novelty=novelty)
            return
        # A second one of its kind is not new even while this one is being verified.
        self._know(proposed.task)
        self._waiting.append(_Waiting(proposed, novelty, self._pool.submit(proposed)))

    def _judge(self, waiting: _Waiting) -> None:
        candidate = waiting.candidate
        self._tell("verify", candidate.name, "")
        verdict = self._verdict(waiting.future)
        if verdict.accepted:
            try:
                file = self._library.add(candidate, verdict, waiting.novelty)
            except LibraryError as error:  # another run, of the same library, was faster
                self._reject(candidate, "novelty", str(error), verdict, waiting.novelty)
                return
            self._decide(
                candidate, True, "", "", verdict=verdict, novelty=waiting.novelty, file=file
            )
            return
        self._reject(candidate, verdict.stage, verdict.reason, verdict, waiting.novelty)
        if len(candidate.origin.repairs) < self._options.repairs:
            self._check()
            self._tell("repair", candidate.name, "")
            repaired = self._source.repair(candidate, verdict)
            if repaired is not None:
                self._take(repaired, candidate.name)

    def _verdict(self, future: Future[Verdict]) -> Verdict:
        while True:
            try:
                return future.result(timeout=POLL)
            except TimeoutError:
                self._check()
            except Canceled:
                raise _End(End.CANCELED, "cancelled") from None

    def _reject(
        self,
        proposed: Proposed,
        stage: str,
        reason: str,
        verdict: Verdict | None = None,
        novelty: Novelty | None = None,
    ) -> None:
        file = self._library.reject(proposed, stage, reason, verdict)
        self._decide(proposed, False, stage, reason, verdict=verdict, novelty=novelty, file=file)

    def _decide(
        self,
        proposed: Proposed,
        accepted: bool,
        stage: str,
        reason: str,
        *,
        verdict: Verdict | None,
        novelty: Novelty | None,
        file: Path,
    ) -> None:
        if isinstance(proposed, Candidate):
            origin, instruction = proposed.origin, proposed.task.instruction
            mode, repairs = origin.mode, len(origin.repairs)
            tokens, cost, seconds = origin.tokens, origin.cost, origin.seconds
        else:
            instruction, mode, repairs = proposed.instruction, "", 0
            tokens, cost, seconds = proposed.tokens, proposed.cost, proposed.seconds
        decision = Decision(
            name=proposed.name,
            instruction=instruction,
            accepted=accepted,
            stage=stage,
            reason=reason,
            mode=mode,
            source=self._source.name,
            pass_rate=verdict.pass_rate if verdict is not None else 0.0,
            episodes=len(verdict.expert) if verdict is not None else 0,
            novelty=novelty.distance if novelty is not None else 0.0,
            repairs=repairs,
            tokens=sum(tokens),
            cost=cost,
            seconds=seconds + (verdict.seconds if verdict is not None else 0.0),
            file=str(file),
        )
        self._decisions.append(decision)
        self._count(decision)
        self._decided(decision, verdict)
        self._tell("verify", decision.name, f"accepted: {instruction}" if accepted else reason)

    def _count(self, decision: Decision) -> None:
        counts = self._counts
        executed = decision.episodes > 0
        novel = executed or decision.accepted or decision.stage in ("limits", "start")
        valid = novel or decision.stage == "novelty"
        self._counts = replace(
            counts,
            proposed=counts.proposed + 1,
            valid=counts.valid + valid,
            novel=counts.novel + novel,
            executed=counts.executed + executed,
            accepted=counts.accepted + decision.accepted,
            tokens=counts.tokens + decision.tokens,
            cost=counts.cost + decision.cost,
        )

    def _check(self) -> None:
        if self._cancelled():
            raise _End(End.CANCELED, "cancelled")
        limit = self._options.timeout
        if limit and self._clock() - self._began > limit:
            raise _End(End.TIMEOUT, f"not done within {limit:g} s")

    def _why(self, error: SourceError) -> tuple[End, str]:
        """How a source ended: a model that is not waited for any longer has not failed."""
        try:
            self._check()
        except _End as over:
            return over.end, str(over)
        return End.BACKEND_FAILED, str(error)

    def _given_up(self) -> str:
        return (
            f"{self._counts.accepted} of {self._wanted} tasks are accepted after "
            f"{self._counts.proposed} proposals; the records of the rejected ones say why"
        )

    def _tell(self, stage: str, task: str, note: str) -> None:
        elapsed = self._clock() - self._began
        self._told(Progress(str(self._run), stage, task, self._wanted, self._counts, elapsed, note))
