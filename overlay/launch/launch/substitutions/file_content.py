"""The text of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class FileContent(Substitution):
    """The text of a file (UTF-8)."""

    def __init__(self, path: SomeSubstitutionsType) -> None:
        self._path = normalize_to_list_of_substitutions(path)

    def describe(self) -> str:
        """Return a short description for people."""
        return f"FileContent({describe_substitutions(self._path)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the text; SubstitutionFailure if the file cannot be read."""
        path = perform_substitutions(context, self._path)
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SubstitutionFailure(f"cannot read the file '{path}': {error}") from error
