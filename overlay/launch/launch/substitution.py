"""Text that is known only when the launch runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Substitution:
    """Base of everything that turns into text at execution time."""

    def perform(self, context: LaunchContext) -> str:
        """Return the text, given the present state of the launch."""
        raise NotImplementedError(f"{type(self).__name__} does not implement perform()")

    def describe(self) -> str:
        """Return a short description for people (used by `--show-args`)."""
        return f"{type(self).__name__}()"


class TextSubstitution(Substitution):
    """Fixed text."""

    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"TextSubstitution expected text of type str, got {text!r}")
        self._text = text

    @property
    def text(self) -> str:
        """The text."""
        return self._text

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        return self._text

    def describe(self) -> str:
        """Return the text in quotes."""
        return f"'{self._text}'"
