"""Nodes with managed states."""

from __future__ import annotations

from typing import Any

from launch import SomeSubstitutionsType

from .node import Node


class LifecycleNode(Node):
    """A node whose states are changed by services. Here it is started like any other node."""

    def __init__(
        self,
        *,
        name: SomeSubstitutionsType,
        namespace: SomeSubstitutionsType,
        autostart: bool = False,
        **kwargs: Any,
    ) -> None:
        if autostart:
            raise NotImplementedError(
                "LifecycleNode(autostart=True) needs a ROS 2 installation; here the node's "
                "change_state service must be called"
            )
        super().__init__(name=name, namespace=namespace, **kwargs)
