"""The same tasks in other words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from gensim2_kpam.solver_config import load_solver, solver_names
from gensim2_tasks.catalogue import TaskError, load_task, task_names
from gensim2_tasks.specs import TaskSpec

from .answers import plain
from .candidate import Candidate, Document, Origin, make_candidate
from .source import Known, SourceError, Wanted


def tasks_to_say(wanted: Wanted) -> list[str]:
    """Names of the tasks that are to be said in other words, in an order of the seed.

    Raises:
        SourceError: There is none.
    """
    if wanted.target_task:
        try:
            return [load_task(wanted.target_task).name]
        except TaskError as error:
            raise SourceError(f"paraphrase: {error}") from None
    names = task_names()
    words = wanted.target_object.lower().replace("_", " ").split()
    if words:
        names = [n for n in names if all(w in _about(load_task(n)) for w in words)]
    if not names:
        raise SourceError(f"paraphrase: no task is about {plain(wanted.target_object, 60)!r}")
    order = np.random.default_rng(wanted.seed).permutation(len(names))
    return [names[i] for i in order]


def _about(task: TaskSpec) -> str:
    return " ".join([task.instruction, *(o.category for o in task.objects)]).lower()


def said_before(name: str, known: Known) -> list[str]:
    """Other words that there are for a task already."""
    pattern = re.compile(rf"{re.escape(name)}Said\d+")
    both = zip(known.names, known.instructions, strict=True)
    return [i for n, i in both if pattern.fullmatch(n)]


def said_otherwise(task: TaskSpec, instruction: str, known: Known, origin: Origin) -> Candidate:
    """The same task under another name, with other words.

    Raises:
        CandidateError: The words are no instruction.
        gensim2_kpam.solver_config.SolverConfigError: A solver of the task cannot be read.
    """
    taken = {*known.names, *task_names()}
    stem = task.name[:50]
    name = next(n for k in range(1, len(taken) + 2) if (n := f"{stem}Said{k}") not in taken)
    document: dict[str, Any] = task.model_dump(mode="json")
    solvers: dict[str, Document] = {}
    shipped = set(solver_names())
    for subtask in document["subtasks"]:
        subtask["solvers"] = [
            s if s in shipped else _own(s, name, solvers) for s in subtask["solvers"]
        ]
    document |= {"name": name, "instruction": instruction}
    return make_candidate(document, solvers, replace(origin, examples=(task.name,)))


def _own(solver: str, task: str, solvers: dict[str, Document]) -> str:
    """A copy of a solver of the library under a name that goes with the task."""
    name = f"{task}_{len(solvers) + 1}"
    solvers[name] = load_solver(solver).document()
    return name
