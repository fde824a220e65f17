"""Evaluates a policy in simulation over the graph, and ends with a report.

Exit code 0 when every episode was performed, whatever became of it.
"""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    BOOLEAN,
    JUDGE,
    LANGUAGE_WEIGHTS,
    NUM_POINTS,
    OBS,
    POLICY,
    POLICY_DEVICE,
    PREFLIGHT,
    RANDOMISED,
    REAL_TIME_FACTOR,
    SIMULATED,
    SOLVER_ROOT,
    VIEW,
    VIEW_PORT,
    Argument,
    with_defaults,
)
from gensim2_launch.ros.controllers import policy
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with

GOAL = (
    Argument("task", "all", "A task, a comma list, or all: those the policy was trained on"),
    Argument("asset", "", "Asset reference, id or seed; empty = another one for every episode"),
    Argument("episodes", "20", "Episodes of every task", int),
    Argument("seed", "900000", "Seed of the first episode; the others follow", int),
    Argument("videos", "false", "Whether every episode gets a video", bool, BOOLEAN),
    Argument("out", "", "Folder of the report; empty = sim_eval beside the policy"),
)
(CLOUDS,) = with_defaults((OBS,), obs="pointcloud")
ACTS = (POLICY, POLICY_DEVICE, LANGUAGE_WEIGHTS, PREFLIGHT)
GRAPH = (
    *(ASSET_ROOT, SOLVER_ROOT, CLOUDS, NUM_POINTS, REAL_TIME_FACTOR, JUDGE, *RANDOMISED),
    *(SIMULATED, VIEW, VIEW_PORT),
)


def generate_launch_description():
    """Declares the arguments, starts the graph, the policy and the evaluation."""
    return launch_file(
        __file__,
        (*GOAL, *ACTS, *GRAPH),
        view(ASSET_ROOT, SIMULATED),
        include(
            "robot_sim.launch.py",
            *(ASSET_ROOT, CLOUDS, REAL_TIME_FACTOR, JUDGE),
            *(*RANDOMISED, SIMULATED),
        ),
        include("core.launch.py", ASSET_ROOT, SOLVER_ROOT, CLOUDS, NUM_POINTS, SIMULATED),
        policy(SIMULATED),
        node("gensim2_policy", "sim_eval", *GOAL, POLICY, SIMULATED, on_exit=end_with),
    )
