"""What controllers are called in launch files, and the nodes that they are."""

from __future__ import annotations

_NODES = {"kpam": "kpam_expert"}


def controller_node(name: str) -> str:
    """Name of the node of a controller; any other name is that of a node itself."""
    return _NODES.get(name, name)
