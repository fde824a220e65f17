"""Nodes that are loaded into a container."""

from __future__ import annotations

from typing import Any


class ComposableNode:
    """A node in a C++ library. It can be described here, but not loaded."""

    def __init__(self, *, package: Any, plugin: Any, **kwargs: Any) -> None:
        self.package = package
        self.plugin = plugin
        self.options = kwargs
