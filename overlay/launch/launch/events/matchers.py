"""Predicates over events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..action import Action


def matches_action(target_action: Action) -> Callable[[Any], bool]:
    """Return a matcher for what concerns one action: the action itself or an event about it."""

    def matches(subject: Any) -> bool:
        return subject is target_action or getattr(subject, "action", None) is target_action

    return matches
