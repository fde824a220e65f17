"""How new a task is: by its structure, and by how far its instruction is from all known ones.

The structure of a task is what it does with which categories of objects, from where to where.
Words are compared by counts of their letters' triples, of whole words and of pairs of words: to
open a thing and close it is another task than to close it and open it. Nothing has to be installed
for that, as it would for the sentence encoder of the policy.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from gensim2_tasks.predicates import Predicate, SuccessCondition
from gensim2_tasks.specs import OBJECT_FIELDS, TaskSpec
from numpy.typing import NDArray

WIDTH = 1024  # of an embedding
LETTERS = 3
Structure = tuple[object, ...]
Words = NDArray[np.float64]


@dataclass(frozen=True)
class Novelty:
    """How new a task is.

    Attributes:
        nearest: Known task whose instruction is the nearest; empty = there is none.
        distance: Cosine distance (0 to 1) of the instruction to it; 1 without any.
        same: Known task of the same structure; empty = there is none.
    """

    nearest: str
    distance: float
    same: str

    def problem(self, least: float, paraphrase: bool = False) -> str:
        """Why the task is not new; empty = it is.

        Args:
            least: Distance that an instruction must have.
            paraphrase: Whether only the words have to be new.
        """
        if self.same and not paraphrase:
            return f"it is the task {self.same}: same objects, steps, start and goal"
        if self.distance < least:
            return (
                f"its instruction is that of {self.nearest}: distance {self.distance:.3f}, "
                f"at least {least:g} is wanted"
            )
        return ""


class Memory:
    """Tasks that are known."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._words: list[Words] = []
        self._structures: dict[Structure, str] = {}

    def add(self, task: TaskSpec) -> None:
        """Takes in a task."""
        self._names.append(task.name)
        self._words.append(embed(task.instruction))
        self._structures.setdefault(structure(task), task.name)

    def novelty(self, task: TaskSpec, without: str = "") -> Novelty:
        """How new a task is, beside one that it was made of."""
        same = self._structures.get(structure(task), "")
        same = "" if same == without else same
        if not set(self._names) - {without}:
            return Novelty("", 1.0, same)
        likeness = np.stack(self._words) @ embed(task.instruction)
        likeness[[name == without for name in self._names]] = -1.0
        best = int(np.argmax(likeness))
        return Novelty(self._names[best], max(0.0, 1.0 - float(likeness[best])), same)

    def __len__(self) -> int:
        return len(self._names)


def embed(text: str) -> Words:
    """Embedding (`WIDTH`,) of a text, of length 1."""
    words = text.lower().replace(".", " ").replace(",", " ").split()
    counts = np.zeros(WIDTH)

    def count(part: str, weight: float) -> None:
        counts[zlib.crc32(part.encode()) % WIDTH] += weight

    for word in words:
        padded = f" {word} "
        triples = [padded[i : i + LETTERS] for i in range(len(padded) - LETTERS + 1)]
        for part, weight in [(f"={word}", 1.0), *((t, 1.0 / len(triples)) for t in triples)]:
            count(part, weight)
    for one, other in pairwise(["", *words, ""]):
        count(f"{one}={other}", 1.0)
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts


def structure(task: TaskSpec) -> Structure:
    """What a task does; two tasks of the same structure differ in words and numbers only."""
    categories = {o.name: o.category for o in task.objects}
    steps = tuple(
        (
            s.skill or "solve",
            categories[s.object],
            categories.get(s.target, ""),
            s.region,
            _condition(done, categories),
        )
        for s, done in zip(task.subtasks, task.done_conditions, strict=True)
    )
    starts = tuple(sorted((o.category, _coarse(o.openness.default)) for o in task.objects))
    return (steps, starts, _condition(task.success, categories))


def _condition(condition: SuccessCondition, categories: dict[str, str]) -> Structure:
    def plain(group: Sequence[Predicate]) -> Structure:
        # How exactly something has to rest is no other task.
        found = [_predicate(p, categories) for p in group if p.kind != "settled"]
        return tuple(sorted(found, key=repr))

    return (plain(condition.all), plain(condition.any))


def _predicate(predicate: Predicate, categories: dict[str, str]) -> Structure:
    objects = tuple(categories.get(getattr(predicate, f, ""), "") for f in OBJECT_FIELDS)
    value = getattr(predicate, "value", 0.0) if predicate.kind.startswith("openness") else 0.0
    return (predicate.kind, objects, _coarse(value))


def _coarse(openness: float) -> float:
    """Openness in steps of a fifth."""
    return round(round(openness * 5.0) / 5.0, 1)
