"""Why a node does not start."""

from __future__ import annotations


class StartError(RuntimeError):
    """A node cannot start. Its message is for the operator and shown without a traceback."""
