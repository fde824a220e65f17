"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def mock_robot() -> int:
    """Run the node `mock_robot`; return its exit code."""
    # It looks for any other body itself, whatever its name.
    return run_program("gensim2_control.mock_robot_node", "MockRobotNode", unique=False)
