"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def kpam_planner() -> int:
    """Run the node `kpam_planner`; return its exit code."""
    return run_program("gensim2_kpam.kpam_planner_node", "KpamPlannerNode")


def kpam_expert() -> int:
    """Run the node `kpam_expert`; return its exit code."""
    return run_program("gensim2_kpam.kpam_expert_node", "KpamExpertNode")


def labelled_scene() -> int:
    """Run the node `labelled_scene`; return its exit code."""
    return run_program("gensim2_kpam.labelled_scene_node", "LabelledSceneNode")
