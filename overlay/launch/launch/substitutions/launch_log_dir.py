"""The log folder of this launch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import logging
from ..substitution import Substitution

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LaunchLogDir(Substitution):
    """The log folder of this launch."""

    def perform(self, context: LaunchContext) -> str:
        """Return the folder."""
        return logging.launch_config.log_dir
