"""Drafts in words, for questions."""

from __future__ import annotations

from collections.abc import Sequence

from . import vocabulary
from .assembly import solver_of
from .candidate import Candidate
from .draft import Carry, Draft, Step, Way


def task_text(draft: Draft) -> str:
    """Name and instruction."""
    return f"Task {draft.name}: {draft.instruction}"


def objects_text(draft: Draft) -> str:
    """A line for each object."""
    return "\n".join(f"- {name}: a {category}" for name, category in draft.objects.items())


def steps_text(draft: Draft) -> str:
    """A line for each step."""
    return "\n".join(f"{n}. {step_text(s)}" for n, s in enumerate(draft.steps, start=1))


def step_text(step: Step) -> str:
    """A step in words."""
    if isinstance(step, Carry):
        return f"put {step.object} {step.region.replace('_', ' ')} {step.target}"
    return f"{step.name}: move the joint of {step.object} towards {step.towards}"


def start_text(draft: Draft) -> str:
    """How far the objects are open at the start."""
    return "; ".join(
        f"{p['object']} is open by {p['openness']:g} +- {p['openness_spread']:g}"
        for p in draft.places
    )


def ways_text(ways: Sequence[Way]) -> str:
    """Ways one below another."""
    return "\n".join(
        vocabulary.config_text(solver_of(way, f"alternative {n}"), f"{n}")
        for n, way in enumerate(ways, start=1)
    )


def document_text(candidate: Candidate) -> str:
    """The files of a candidate."""
    return "\n".join(candidate.files().values())
