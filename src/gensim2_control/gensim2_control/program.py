"""Starts a node so that Ctrl-C counts from the first moment on.

The imports of a node take longer than an operator needs to press Ctrl-C, and an exception in the
middle of them is swallowed by some libraries and crashes others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gensim2_control.end_request import EndRequest


def run_program(module: str, node: str, unstarted: int = 0, **settings: Any) -> int:
    """Take over the signals, import a node and run it; return the exit code of the process.

    Args:
        module: where its class is.
        node: name of the class.
        unstarted: exit code where the end is asked for before there is a node.
        settings: of `gensim2_control.ros.run.run_node`.
    """
    end = EndRequest()
    try:
        run_node = import_module("gensim2_control.ros.run").run_node
        factory = getattr(import_module(module), node)
    except KeyboardInterrupt:  # the second one: the imports take too long for the operator
        end.close()
        return unstarted
    return int(run_node(factory, end=end, unstarted=unstarted, **settings))
