"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def teleop() -> int:
    """Run the node `teleop`; return its exit code."""
    return run_program("gensim2_teleop.teleop_node", "TeleopNode")


def keyboard() -> int:
    """Run the program `keyboard`; return its exit code."""
    return run_program("gensim2_teleop.keyboard_node", "KeyboardNode")


def spacemouse() -> int:
    """Run the program `spacemouse`; return its exit code."""
    return run_program("gensim2_teleop.spacemouse_node", "SpaceMouseNode")
