"""Whether a sentence of a small model says what a task is: it may choose words, not the task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Words that do for one another.
_ALIKE = (
    {"put", "place", "set", "lay", "drop", "move", "bring"},
    {"into", "in", "inside"},
    {"onto", "on", "top", "upon"},
    {"under", "underneath", "beneath", "below"},
    {"close", "closed", "closing", "shut"},
    {"open", "opened", "opening"},
    {"lift", "raise"},
    {"push", "press", "move", "slide"},
    {"again", "back", "then"},
)
# Words of a step that tell nothing that another one does not.
_IDLE = {"the", "a", "it", "of", "and", "about", "way", "one", "to", "lid", "lever"}
# Words that must be in both of two sentences that say the same, or in neither.
_TURNING = (
    {"open", "opened"},
    {"close", "closed", "shut"},
    {"off"},
    {"up", "upright"},
    {"down"},
    {"forward", "forwards"},
    {"back", "backward", "backwards"},
    {"half", "halfway"},
    {"into", "in", "inside"},
    {"under", "underneath", "beneath", "below"},
)
_LETTERS = re.compile(r"[a-z]+")


def words_of(text: str) -> list[str]:
    """Words of a text in small letters, in order."""
    return _LETTERS.findall(text.lower())


def problem(
    sentence: str,
    steps: Sequence[str],
    nouns: Iterable[str],
    all_nouns: Iterable[str],
    known: Iterable[str],
) -> str:
    """Why a sentence does not do as the instruction of a task; empty = it does.

    Args:
        sentence: To be judged.
        steps: What is done, in order, as "open the drawer".
        nouns: Of the objects of the task.
        all_nouns: Of all objects; others than those of the task must not be spoken of.
        known: Instructions that there are.
    """
    said = words_of(sentence)
    if "\n" in sentence or not said:
        return "it is not one line"
    mine, text = set(nouns), f" {' '.join(said)} "
    for name in sorted(mine):
        if f" {name} " not in text:
            return f"it does not speak of the {name}"
    own_words = {w for name in mine for w in words_of(name)}
    for name in sorted(set(all_nouns) - mine):
        # A cracker box is not spoken of where a box is.
        if f" {name} " in text and not set(words_of(name)) <= own_words:
            return f"it speaks of the {name}, which the task has not"
    for step in steps:
        for word in words_of(step):
            if word not in _IDLE and not _said(word, said):
                return f"it does not say {word!r} of {step!r}"
    if not _in_order(said, [words_of(step)[0] for step in steps]):
        return "it says the steps in another order"
    if any(words_of(other) == said for other in known):
        return "it is the instruction of a task that is known"
    return ""


def turned(sentence: str, original: str) -> str:
    """Why a sentence may be the opposite of another one; empty = it is not."""
    there, here = set(words_of(original)), set(words_of(sentence))
    for group in _TURNING:
        if bool(there & group) != bool(here & group):
            return f"one of the two says {' or '.join(sorted(group))!r}"
    return ""


def _said(word: str, said: Sequence[str]) -> bool:
    return any(w in _like(word) for w in said)


def _like(word: str) -> set[str]:
    return {word}.union(*(group for group in _ALIKE if word in group))


def _in_order(said: Sequence[str], verbs: Sequence[str]) -> bool:
    at = 0
    for verb in verbs:
        found = next((i for i in range(at, len(said)) if said[i] in _like(verb)), None)
        if found is None:
            return False
        at = found + 1
    return True
