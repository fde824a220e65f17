"""Tasks of the library that are shown to a model: what was accepted, and what was not and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .answers import plain
from .source import Known

MOST_KNOWN = 150  # tasks that a question lists
LONGEST = 160  # characters of an instruction or a reason


@dataclass(frozen=True)
class Example:
    """A task of the library.

    Attributes:
        name: Of the task.
        instruction: Of the task.
        accepted: Whether it was.
        reason: Why not.
    """

    name: str
    instruction: str
    accepted: bool = True
    reason: str = ""


Examples = Callable[[str, int], Sequence[Example]]
"""Gives those nearest to words, at most so many accepted ones and so many rejected ones."""


def no_examples(words: str, most: int) -> Sequence[Example]:
    """For who has no library."""
    return ()


def nearest(every: Sequence[Example], words: str, most: int) -> list[Example]:
    """Those that share the most words with a text; of equals the latest first."""
    wanted = _words(words)

    def likeness(numbered: tuple[int, Example]) -> tuple[float, int]:
        number, example = numbered
        own = _words(f"{example.name} {example.instruction}")
        return len(own & wanted) / max(1.0, len(own | wanted)), number

    ranked = [e for _, e in sorted(enumerate(every), key=likeness, reverse=True)]
    accepted = [e for e in ranked if e.accepted][:most]
    return accepted + [e for e in ranked if not e.accepted][:most]


def _words(text: str) -> set[str]:
    spaced = "".join(f" {c}" if c.isupper() else c if c.isalnum() else " " for c in text)
    return set(spaced.lower().split())


def examples_text(found: Sequence[Example]) -> str:
    """Examples for a question; empty where there are none."""
    good = [f"- {_line(e)}" for e in found if e.accepted]
    bad = [f"- {_line(e)} Rejected: {plain(e.reason, LONGEST)}" for e in found if not e.accepted]
    parts = []
    if good:
        parts.append("\n".join(["Tasks that were proposed before and worked:", *good]))
    if bad:
        parts.append("\n".join(["Tasks that were proposed before and failed:", *bad]))
    return "\n\n".join(parts)


def known_text(known: Known) -> str:
    """The tasks that exist, a line each; where there are too many, the latest."""
    both = list(zip(known.names, known.instructions, strict=True))
    lines = [f"- {plain(n, 60)}: {plain(i, LONGEST)}" for n, i in both[-MOST_KNOWN:]]
    return "\n".join(lines) or "- (none)"


def _line(example: Example) -> str:
    return f"{plain(example.name, 60)}: {plain(example.instruction, LONGEST)}"
