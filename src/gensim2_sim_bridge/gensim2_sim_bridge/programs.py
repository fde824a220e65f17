"""The executables of this package that look on."""

from __future__ import annotations

from gensim2_control.program import run_program


def shadow() -> int:
    """Run the node `shadow`; return its exit code."""
    # All callbacks share one renderer and take turns.
    return run_program("gensim2_sim_bridge.shadow_node", "ShadowNode", threads=1)
