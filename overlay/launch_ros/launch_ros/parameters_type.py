"""What is accepted as the parameters of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SomeParameterValue = Any
"""bool, int, float, str, a substitution, a list of one of them, or a ParameterValue."""

SomeParametersDict = Mapping[Any, Any]
"""Values by name; a value that is a mapping itself gives names with dots."""

SomeParameters = Sequence[Any]
"""Dictionaries, paths of YAML files, ParameterFile and Parameter objects; later ones win."""
