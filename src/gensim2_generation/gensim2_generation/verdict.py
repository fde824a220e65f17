"""What running a candidate has shown."""

from __future__ import annotations

from dataclasses import dataclass

EXPERT, IDLE, RANDOM = "expert", "idle", "random"


@dataclass(frozen=True)
class Measured:
    """One predicate at the end of an episode."""

    name: str
    value: float
    threshold: float
    satisfied: bool


@dataclass(frozen=True)
class Trial:
    """One episode of a candidate.

    Attributes:
        actor: `EXPERT`, or a control: `IDLE`, `RANDOM`.
        seed: Of the scene.
        asset: Of the first object.
        success: Whether it ended in success; of a control, whether it ever did.
        held: Whether it still was one after everything had settled.
        failure: Kind of the failure; empty = none.
        reason: In words: what the planner, the robot or the predicates said.
        subtask: The one that failed; empty = none.
        measured: The predicates of the task at the end.
        sim_time: s.
        cpu_time: s.
    """

    actor: str
    seed: int
    asset: str
    success: bool
    held: bool
    failure: str = ""
    reason: str = ""
    subtask: str = ""
    measured: tuple[Measured, ...] = ()
    sim_time: float = 0.0
    cpu_time: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The judgement of a candidate.

    Attributes:
        accepted: Whether it works often enough, and only when somebody does it.
        stage: What it failed at: ``start`` (a scene, or a success from the start), ``execute``,
            ``settle``, ``control``, ``limits`` (time, memory, a crash); empty = nothing.
        reason: Why, in words, with measured numbers; empty = it is accepted.
        trials: All episodes that were run.
        seconds: Wall time.
    """

    accepted: bool
    stage: str
    reason: str
    trials: tuple[Trial, ...]
    seconds: float = 0.0

    @property
    def expert(self) -> tuple[Trial, ...]:
        """Episodes of the expert."""
        return tuple(t for t in self.trials if t.actor == EXPERT)

    @property
    def pass_rate(self) -> float:
        """Share of the expert's episodes that succeeded and held; 0 without any."""
        trials = self.expert
        return sum(t.success and t.held for t in trials) / len(trials) if trials else 0.0

    @property
    def cpu_time(self) -> float:
        """Of all episodes, s."""
        return sum(t.cpu_time for t in self.trials)
