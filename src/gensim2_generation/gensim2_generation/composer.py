"""The backend ``catalogue``: new tasks from the grammar, without a language model.

Which choices come first depends on the seed alone, and on what has failed before: a kind of task
that the physics has refused for a category is left for later.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from .affordances import Affordances, noun
from .candidate import Candidate, CandidateError, Origin
from .grammar import Choice, Family, choices, compose, outline
from .source import ExhaustedError, Known, Proposed, Refused, SourceError, Wanted
from .verdict import Verdict

# Kinds of tasks that each mode is made of, in turn.
OF_MODE: dict[str, tuple[Family, ...]] = {
    "primitive": (Family.PART_WAY, Family.PART_WAY, Family.PUT),
    "topdown": (
        Family.OPEN_PUT,
        Family.PUT_LIFT,
        Family.OPEN_PUT_CLOSE,
        Family.PUT_CLOSE,
        Family.THERE_AND_BACK,
    ),
    "bottomup": (Family.THERE_AND_BACK, Family.TWO_PARTS, Family.PUT_TWO),
}
ALL = "all"
"""A mode of this backend alone: all kinds, what takes the physics little time more often."""
_OF_ALL = (
    Family.PART_WAY,
    Family.THERE_AND_BACK,
    Family.PART_WAY,
    Family.OPEN_PUT,
    Family.PART_WAY,
    Family.PUT_LIFT,
    Family.PART_WAY,
    Family.PUT_CLOSE,
    Family.THERE_AND_BACK,
    Family.PART_WAY,
    Family.TWO_PARTS,
    Family.OPEN_PUT_CLOSE,
    Family.PART_WAY,
    Family.PUT,
)
TRUST = 2  # failures of a kind of task with a category after which it is left for later


class Composer:
    """Implements `Source`.

    Args:
        wanted: What is asked for.
        affordances: What can be done.
        clock: Gives s.

    Raises:
        SourceError: The mode needs somebody who reads or sees.
    """

    name = "catalogue"

    def __init__(
        self,
        wanted: Wanted,
        affordances: Affordances,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if wanted.mode not in (*OF_MODE, ALL):
            raise SourceError(
                f"the backend catalogue has no mode {wanted.mode!r}: it has "
                f"{', '.join((*OF_MODE, ALL))}; paraphrase and image need a language model"
            )
        self._wanted, self._affordances, self._clock = wanted, affordances, clock
        self._failed: Counter[tuple[Family, str]] = Counter()
        self._used: Counter[tuple[Family, str]] = Counter()
        self._items: Counter[str] = Counter()
        self._made: dict[str, Choice] = {}
        self._turn = 0
        families = OF_MODE.get(wanted.mode, _OF_ALL)
        self._families = families
        rng = np.random.default_rng(wanted.seed)
        every = [
            c for c in choices(affordances) if c.family in families and fits(c, wanted, affordances)
        ]
        if not every:
            raise SourceError(
                f"no task of the mode {wanted.mode} is about {wanted.target_object!r} "
                f"{wanted.target_task!r}; known objects: {', '.join(affordances.categories)}"
            )
        order = rng.permutation(len(every))
        self._left: dict[Family, list[Choice]] = {f: [] for f in families}
        for i in order:
            self._left[every[i].family].append(every[i])

    def propose(self, known: Known) -> Proposed:
        """See `Source`."""
        began = self._clock()
        names = set(known.names)
        while True:
            choice = self._next()
            origin = Origin(self.name, mode=self._wanted.mode, seed=self._wanted.seed)
            try:
                candidate = compose(choice, self._affordances, origin)
            except CandidateError as error:
                return Refused(error.stage, str(error), seconds=self._clock() - began)
            if candidate.name not in names:
                self._made[candidate.name] = choice
                return candidate

    def repair(self, candidate: Candidate, verdict: Verdict) -> Proposed | None:
        """Learns from the failure; the grammar has nothing else to offer for it."""
        choice = self._made.get(candidate.name)
        if choice is not None:
            self._failed[choice.family, choice.category] += 1
            for item in choice.items:
                self._failed[choice.family, item] += 1
        return None

    def _next(self) -> Choice:
        """The next choice: of the kind whose turn it is, of what has been used least."""
        for _ in self._families:
            family = self._families[self._turn % len(self._families)]
            self._turn += 1
            left = self._left[family]
            if left:
                choice = min(left, key=self._reluctance)
                left.remove(choice)
                self._used[family, choice.category] += 1
                self._items.update(choice.items)
                return choice
        raise ExhaustedError("the grammar has no other task to offer")

    def _reluctance(self, choice: Choice) -> tuple[int, int, int]:
        """Small where a choice should come soon."""
        family = choice.family
        failures = sum(
            self._failed[family, c] // TRUST for c in (choice.category, choice.other, *choice.items)
        )
        used = self._used[family, choice.category] + self._failed[family, choice.category]
        return failures, used, sum(self._items[i] + self._failed[family, i] for i in choice.items)


def fits(choice: Choice, wanted: Wanted, affordances: Affordances) -> bool:
    """Whether a choice is about the object and the task that are wanted."""
    categories = [c for c in (choice.category, choice.other, *choice.items) if c]
    words = wanted.target_object.lower().replace("_", " ").split()
    if words and not any(
        all(w in f"{c.replace('_', ' ')} {noun(c)}".split() for w in words) for c in categories
    ):
        return False
    if not wanted.target_task:
        return True
    said = outline(choice, affordances)
    goal, instruction = wanted.target_task.lower(), said.instruction.lower()
    return goal in (said.name.lower(), instruction.rstrip(".")) or set(
        goal.replace("-", " ").split()
    ) <= set(instruction.replace(".", "").replace(",", "").split())
