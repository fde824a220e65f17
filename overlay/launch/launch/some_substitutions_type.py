"""What is accepted wherever text with substitutions may be given."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable
from pathlib import Path

from .substitution import Substitution

SomeSubstitutionsType = str | Path | Substitution | Iterable[str | Path | Substitution]
"""A text, a substitution, or an iterable of both, whose parts are concatenated."""

SomeSubstitutionsType_types_tuple = (str, Path, Substitution, collections.abc.Iterable)
