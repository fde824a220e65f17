"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def policy() -> int:
    """Run the node `policy`; return its exit code."""
    return run_program("gensim2_policy.policy_node", "PolicyNode")


def dagger() -> int:
    """Run the node `dagger`; return its exit code."""
    return run_program("gensim2_policy.dagger_node", "DaggerNode")


def sim_eval() -> int:
    """Run the program `sim_eval`; return its exit code."""
    return run_program("gensim2_policy.sim_eval_node", "SimEvalNode", unstarted=130)


def train() -> int:
    """Train a policy; return the exit code."""
    from .train_cli import main

    return main()


def evaluate() -> int:
    """Evaluate a policy without the graph; return the exit code."""
    from .evaluate_cli import main

    return main()


def export() -> int:
    """Export a policy; return the exit code."""
    from .export_cli import main

    return main()
