"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def task_generator() -> int:
    """Run the node `task_generator`; return its exit code."""
    return run_program("gensim2_generation.task_generator_node", "TaskGeneratorNode")


def generate_tasks() -> int:
    """Run the program `generate_tasks`; return its exit code."""
    return run_program("gensim2_generation.generate_tasks_node", "GenerateTasksNode", unstarted=130)


def generate() -> int:
    """Generate tasks without the graph; return the exit code."""
    from .generate_cli import main

    return main()
