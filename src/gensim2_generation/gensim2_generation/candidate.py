"""A task that somebody proposed: a task document and the solver configurations that only it uses.

Nothing here is code: both documents are read by the typed models that read every task, and what
those do not accept is refused with the reason.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from gensim2_kpam.solver_config import SolverConfig, SolverConfigError, parse_solver, solver_names
from gensim2_tasks.catalogue import TaskError, parse_task, task_names
from gensim2_tasks.specs import TaskSpec

Document = Mapping[str, Any]
MAX_SOLVERS = 8  # of a task's own


class CandidateError(ValueError):
    """A proposal is no task; ``stage`` says which part of it, the message what and why."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(text)
        self.stage = stage


@dataclass(frozen=True)
class Origin:
    """Where a candidate comes from.

    Attributes:
        source: Backend: catalogue, openai, local or replay.
        model: Name of the language model; empty = none.
        mode: In which it was made.
        prompts: Version of the prompts; empty = none.
        seed: Of its making.
        examples: Names of the tasks that were shown as examples, or that it is made of.
        tokens: Read and written by the model.
        cost: In the currency of the price list.
        seconds: Wall time of its making.
        repairs: Reasons for which it was sent back, the first one first.
        notes: What whoever reads the record should know of its making.
    """

    source: str
    model: str = ""
    mode: str = "primitive"
    prompts: str = ""
    seed: int = 0
    examples: tuple[str, ...] = ()
    tokens: tuple[int, int] = (0, 0)
    cost: float = 0.0
    seconds: float = 0.0
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """See the module. Made by `make_candidate`.

    Attributes:
        task: The task.
        solvers: Its own solver configurations by name, as they were read.
        solver_documents: The same as documents.
        origin: Where it comes from.
    """

    task: TaskSpec
    solvers: Mapping[str, SolverConfig]
    solver_documents: Mapping[str, Document] = field(repr=False)
    origin: Origin

    @property
    def name(self) -> str:
        """Of the task."""
        return self.task.name

    def files(self) -> dict[str, str]:
        """Text of its files by their paths relative to a library: solvers first, the task last."""
        found = {
            f"solvers/{name}.yaml": _yaml(document)
            for name, document in self.solver_documents.items()
        }
        found[f"tasks/{self.name}.yaml"] = _yaml(
            self.task.model_dump(mode="json", exclude_defaults=True) | _kinds(self.task)
        )
        return found


def make_candidate(task: Document, solvers: Mapping[str, Document], origin: Origin) -> Candidate:
    """Makes a candidate of documents.

    Args:
        task: What a task file says.
        solvers: Own solver configurations by name; each begins with the name of the task.
        origin: Where it comes from.

    Raises:
        CandidateError: A document is none, or names what does not exist.
    """
    try:
        spec = parse_task(_yaml(task), "task")
    except TaskError as error:
        raise CandidateError("task", str(error)) from None
    if spec.name in task_names():
        raise CandidateError("task", f"a task named {spec.name} is shipped; choose another name")
    if len(solvers) > MAX_SOLVERS:
        raise CandidateError("solvers", f"{len(solvers)} of its own, more than {MAX_SOLVERS}")
    read = {}
    shipped = set(solver_names())
    for name, document in solvers.items():
        if name in shipped or not name.startswith(spec.name):
            raise CandidateError(
                "solvers", f"solver {name[:80]!r}: its name has to begin with {spec.name}"
            )
        try:
            read[name] = parse_solver(_yaml({**document, "task_name": name}), f"solver {name}")
        except SolverConfigError as error:
            raise CandidateError("solvers", str(error)) from None
    for subtask in spec.subtasks:
        for name in subtask.solvers:
            if name not in shipped and name not in read:
                raise CandidateError(
                    "solvers", f"sub-task {subtask.name!r}: there is no solver {name!r}"
                )
    documents = {n: copy.deepcopy({**d, "task_name": n}) for n, d in solvers.items()}
    candidate = Candidate(spec, read, documents, origin)
    # What is written must be what was judged.
    again = parse_task(candidate.files()[f"tasks/{spec.name}.yaml"], "task")
    if again != spec:
        raise CandidateError("task", "it reads otherwise after it has been written")
    return candidate


def _kinds(task: TaskSpec) -> dict[str, Any]:
    """Parts of the document in which what has a default must stand: the kinds of predicates."""

    def condition(c: Any) -> dict[str, Any]:
        plain = c.model_dump(mode="json", exclude_defaults=True)
        for group in ("all", "any"):
            if getattr(c, group):
                plain[group] = [
                    {"kind": p.kind, **p.model_dump(mode="json", exclude_defaults=True)}
                    for p in getattr(c, group)
                ]
        return plain

    subtasks = []
    for s in task.subtasks:
        plain = s.model_dump(mode="json", exclude_defaults=True)
        if s.done is not None:
            plain["done"] = condition(s.done)
        subtasks.append(plain)
    return {"subtasks": subtasks, "success": condition(task.success)}


def _yaml(document: Document) -> str:
    return yaml.safe_dump(_plain(document), sort_keys=False, allow_unicode=True, width=100)


def _plain(value: Any) -> Any:
    """Only what YAML knows by itself; anything else is refused by the dumper."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
