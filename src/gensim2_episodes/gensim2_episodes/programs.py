"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program

INTERRUPTED = 130
"""Exit code after Ctrl-C: nothing has been collected then."""


def collect() -> int:
    """Run the node `collect`; return its exit code."""
    # Anybody may ask; the manager takes one request at a time.
    settings = {"threads": 2, "unique": False}
    return run_program("gensim2_episodes.collect_node", "CollectNode", INTERRUPTED, **settings)


def episode_manager() -> int:
    """Run the node `episode_manager`; return its exit code."""
    return run_program("gensim2_episodes.episode_manager_node", "EpisodeManagerNode")


def deploy() -> int:
    """Run the node `deploy`; return its exit code."""
    settings = {"threads": 2, "unique": False}
    return run_program("gensim2_episodes.deploy_node", "DeployNode", INTERRUPTED, **settings)
