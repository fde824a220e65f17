"""True if a launch configuration does not have a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .launch_configuration_equals import LaunchConfigurationEquals

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """Holds if the launch configuration is anything but the text."""

    def _evaluate(self, context: LaunchContext) -> bool:
        return not super()._evaluate(context)
