"""Whether a sentence of a small model says what a task is: it may choose words, not the task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_LETTERS = re.compile(r"[a-z]+")
# Words that do for one another.
_ALIKE = (
    {"put", "place", "set", "lay", "drop", "move", "bring", "placed", "laid", "moved", "brought"},
    {"into", "in", "inside"},
    {"onto", "on", "top", "upon"},
    {"under", "underneath", "beneath", "below"},
    {"close", "closed", "closing", "shut"},
    {"open", "opened", "opening"},
    {"lift", "raise", "lifted", "raised"},
    {"push", "press", "move", "slide", "pushed", "pressed", "moved", "slid"},
    {"pull", "pulled"},
    {"swing", "swung"},
    {"sway", "swayed"},
    {"turn", "turned"},
    {"half", "halfway"},
    {"again", "back", "then"},
)
# Words that may be in a sentence although the task has them not: they add nothing to be done.
_ADD_NOTHING = frozenset(
    _LETTERS.findall(
        "a an the this that it its them both and then next after first now finally at last until "
        "to of with by so is are has have be being please make sure take let robot arm gripper "
        "hand use using gently carefully slowly softly about roughly way"
    )
)
# Words of a step that tell nothing that another one does not: what is pushed closed is closed.
_IDLE = {"the", "a", "it", "of", "and", "about", "way", "one", "to", "lid", "lever"}
_IDLE |= {"push", "pull", "swing"}
_ENDS = {"open", "close", "closed"}
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
    told = {w for step in steps for w in words_of(step)}
    for name in sorted(mine):
        if f" {name} " not in text:
            return f"it does not speak of the {name}"
    own_words = told.union(*(words_of(name) for name in mine))
    for name in sorted(set(all_nouns) - mine):
        # A cracker box is not spoken of where a box is, nor another door than that of the oven.
        if f" {name} " in text and not set(words_of(name)) <= own_words:
            return f"it speaks of the {name}, which the task has not"
    for step in steps:
        for word in words_of(step):
            if word not in _IDLE and not _said(word, said):
                return f"it does not say {word!r} of {step!r}"
    if not _in_order(said, [_verb(step) for step in steps]):
        return "it says the steps in another order"
    if any(words_of(other) == said for other in known):
        return "it is the instruction of a task that is known"
    return ""


def added(sentence: str, texts: Iterable[str]) -> str:
    """Why a sentence may say more than a task is; empty = it does not.

    Args:
        sentence: To be judged.
        texts: What says the task: steps, nouns, or an instruction.
    """
    told = [w for text in texts for w in words_of(text)]
    said = [w for w in words_of(sentence) if w not in _ADD_NOTHING]
    for word in said:
        alike = _like(word)
        most = sum(w in alike for w in told)
        if not most:
            return f"it says {word!r}, which the task does not"
        if sum(w in alike for w in said) > most:
            return f"it says {word!r} more often than the task"
    return ""


def turned(sentence: str, original: str) -> str:
    """Why a sentence may be the opposite of another one; empty = it is not."""
    there, here = set(words_of(original)), set(words_of(sentence))
    for group in _TURNING:
        if bool(there & group) != bool(here & group):
            return f"one of the two says {' or '.join(sorted(group))!r}"
    return ""


def _verb(step: str) -> str:
    """The word of a step that tells when it is done: "closed" of "push the drawer closed"."""
    words = words_of(step)
    return next((w for w in words if w in _ENDS), words[0])


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
