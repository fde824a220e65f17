"""A name that is nowhere else."""

from __future__ import annotations

import os
import socket
import uuid
from typing import TYPE_CHECKING

from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import (
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class AnonName(Substitution):
    """A name made unique; the same input gives the same name within one launch."""

    def __init__(self, name: SomeSubstitutionsType) -> None:
        self._name = normalize_to_list_of_substitutions(name)

    def describe(self) -> str:
        """Return a short description for people."""
        return f"AnonName({describe_substitutions(self._name)})"

    def perform(self, context: LaunchContext) -> str:
        """Return the unique name."""
        name = perform_substitutions(context, self._name)
        key = f"anon{name}"
        if key not in context.launch_configurations:
            host = "".join(c if c.isalnum() else "_" for c in socket.gethostname())
            unique = f"{name}_{host}_{os.getpid()}_{uuid.uuid4().hex[:12]}"
            context.launch_configurations[key] = unique
        return context.launch_configurations[key]
