"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def franka_driver() -> int:
    """Run the node `franka_driver`; return its exit code."""
    # It looks for any other body itself, whatever its name.
    return run_program("gensim2_franka.franka_driver_node", "FrankaDriverNode", unique=False)


def fake_robot() -> int:
    """Run the node `fake_robot`; return its exit code."""
    # Its ports are what there can be only one of.
    return run_program("gensim2_franka.fake_robot_node", "FakeRobotNode", unique=False)
