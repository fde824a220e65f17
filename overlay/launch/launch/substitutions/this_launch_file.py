"""The launch file that is being visited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


def _local(context: LaunchContext, key: str, who: str) -> str:
    values = context.get_locals_as_dict()
    if key not in values:
        raise SubstitutionFailure(f"{who} used outside of a launch file (in a script)")
    return values[key]


class ThisLaunchFile(Substitution):
    """The path of the launch file."""

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure outside of a launch file."""
        return _local(context, "current_launch_file_path", "ThisLaunchFile")


class ThisLaunchFileDir(Substitution):
    """The folder of the launch file."""

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; SubstitutionFailure outside of a launch file."""
        return _local(context, "current_launch_file_directory", "ThisLaunchFileDir")
