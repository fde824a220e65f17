"""True if an expression is false."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .if_condition import IfCondition

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class UnlessCondition(IfCondition):
    """Holds if the expression says false or 0."""

    def _evaluate(self, context: LaunchContext) -> bool:
        return not super()._evaluate(context)
