"""Starts the node ``sim_bridge``."""

from __future__ import annotations

import sys

from gensim2_control.program import run_program


def main() -> int:
    """Run the node."""
    # It looks for any other body itself, whatever its name.
    return run_program("gensim2_sim_bridge.sim_host_node", "SimBridgeNode", unique=False)


if __name__ == "__main__":
    sys.exit(main())
