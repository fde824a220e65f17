"""Starts the node ``sim_bridge``."""

from __future__ import annotations

import sys

from gensim2_control.end_request import EndRequest


def main() -> int:
    """Run the node."""
    # Before the imports, which take longer than an operator needs to press Ctrl-C.
    end = EndRequest()
    from gensim2_control.ros.run import run_node

    from .sim_host_node import SimBridgeNode

    return run_node(SimBridgeNode, end=end)


if __name__ == "__main__":
    sys.exit(main())
