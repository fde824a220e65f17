"""Messages of the generation, from and to what the logic knows."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from builtin_interfaces.msg import Time

from gensim2_msgs.action import GenerateTasks
from gensim2_msgs.msg import GeneratedTask, GenerationProgress
from gensim2_msgs.srv import GenerateTask

from .outcome import Decision, Outcome, Progress
from .settings import Request

R = TypeVar("R", GenerateTask.Response, GenerateTasks.Result)


def read_request(asked: GenerateTask.Request | GenerateTasks.Goal) -> Request:
    """What a client asks for."""
    return Request(
        mode=asked.mode,
        target_object=asked.target_object,
        target_task=asked.target_task,
        num_tasks=asked.num_tasks,
        backend=asked.backend,
        image=asked.image,
        seed=asked.seed,
        timeout=asked.timeout,
    )


def fill_result(result: R, outcome: Outcome) -> R:
    """Writes an outcome into a response or a result."""
    counts = outcome.counts
    for name in ("proposed", "valid", "novel", "executed", "accepted", "tokens", "cost"):
        setattr(result, name, getattr(counts, name))
    first = sorted(outcome.decisions, key=lambda d: not d.accepted)
    result.tasks = [_task(decision) for decision in first]
    result.seconds = outcome.seconds
    result.run = str(outcome.run) if outcome.run != Path() else ""
    result.error_code = int(outcome.end)
    result.error_msg = outcome.text
    return result


def progress_message(progress: Progress, stamp: Time) -> GenerationProgress:
    """How far a generation is."""
    counts = progress.counts
    return GenerationProgress(
        stamp=stamp,
        run=progress.run,
        stage=progress.stage,
        task=progress.task,
        wanted=progress.wanted,
        proposed=counts.proposed,
        valid=counts.valid,
        novel=counts.novel,
        executed=counts.executed,
        accepted=counts.accepted,
        progress=min(1.0, counts.accepted / max(1, progress.wanted)),
        tokens=counts.tokens,
        cost=counts.cost,
        elapsed=progress.elapsed,
        note=progress.note,
    )


def _task(decision: Decision) -> GeneratedTask:
    return GeneratedTask(
        name=decision.name,
        instruction=decision.instruction,
        accepted=decision.accepted,
        reason=decision.reason,
        mode=decision.mode,
        source=decision.source,
        pass_rate=decision.pass_rate,
        episodes=decision.episodes,
        novelty=decision.novelty,
        repairs=decision.repairs,
        tokens=decision.tokens,
        cost=decision.cost,
        seconds=decision.seconds,
        file=decision.file,
    )
