"""Containers for nodes in C++ libraries: can be described, but not executed here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from launch import Action, Condition, LaunchContext

from ..composable_node import ComposableNode

_REASON = (
    "needs C++ containers, which are not available without a ROS 2 installation; start the nodes "
    "as processes of their own (launch_ros.actions.Node)"
)


class ComposableNodeContainer(Action):
    """A process that loads nodes from libraries. Executing it is an error."""

    def __init__(
        self,
        *,
        name: Any,
        namespace: Any,
        composable_node_descriptions: Iterable[ComposableNode] | None = None,
        condition: Condition | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(condition=condition)

    def execute(self, context: LaunchContext) -> None:
        """Fail with a clear error."""
        raise RuntimeError(f"ComposableNodeContainer {_REASON}")


class LoadComposableNodes(Action):
    """Loads nodes into a container that runs. Executing it is an error."""

    def __init__(
        self,
        *,
        composable_node_descriptions: Iterable[ComposableNode],
        target_container: Any,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)

    def execute(self, context: LaunchContext) -> None:
        """Fail with a clear error."""
        raise RuntimeError(f"LoadComposableNodes {_REASON}")
