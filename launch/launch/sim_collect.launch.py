"""Collects kPAM demonstrations in simulation and ends when the data set is complete.

Exit code 0 only if every requested episode was collected.
"""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    BOOLEAN,
    CONTROLLER,
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
)
from gensim2_launch.ros.controllers import dagger, policy
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import AnySubstitution, EqualsSubstitution

GOAL = (
    Argument("task", "OpenBox", "Task name, a comma list of names, or 'all'"),
    Argument("asset", "", "Asset reference, id or seed; empty = another one for every episode"),
    Argument("episodes", "5", "Successful episodes to collect of every task", int),
    Argument("seed", "0", "Seed of the first attempt; the following are derived from it", int),
    Argument("randomize", "true", "Draw pose and openness of the objects", bool, BOOLEAN),
    CONTROLLER,
    Argument("dataset", "data/sim_collect", "Folder of the data set; episodes are added to it"),
    Argument("keep_failures", "false", "Store failed episodes too, marked as such", bool, BOOLEAN),
    Argument("max_attempts", "0", "Attempts per task; 0 = 3 times the episodes and 5 more", int),
)
ACTS = (POLICY, POLICY_DEVICE, LANGUAGE_WEIGHTS, PREFLIGHT)
GRAPH = (
    *(ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, REAL_TIME_FACTOR, JUDGE, *RANDOMISED),
    *(SIMULATED, VIEW, VIEW_PORT),
)


def refuse_what_is_no_data_set(context):
    """What the graph could do, and a data set cannot be made of."""
    points = context.launch_configurations["num_points"]
    # 0 means all points to the fusion; the clouds of a data set are of one size.
    if not points.isdigit() or int(points) < 1:
        raise RuntimeError(f"num_points:={points}: a data set needs clouds of at least one point")
    if context.launch_configurations["use_sim_time"] == "false":
        raise RuntimeError("use_sim_time:=false: a simulation has a time of its own")


def _controlled_by(*names):
    """Whether one of these is the controller."""
    chosen = CONTROLLER.configuration()
    return IfCondition(AnySubstitution(*(EqualsSubstitution(chosen, name) for name in names)))


def generate_launch_description():
    """Declares the arguments, starts the graph and the collector."""
    return launch_file(
        __file__,
        (*GOAL, *ACTS, *GRAPH),
        OpaqueFunction(function=refuse_what_is_no_data_set),
        view(ASSET_ROOT, SIMULATED),
        include(
            "robot_sim.launch.py",
            *(ASSET_ROOT, OBS, REAL_TIME_FACTOR, JUDGE),
            *(*RANDOMISED, SIMULATED),
        ),
        include("core.launch.py", ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, SIMULATED),
        policy(SIMULATED, _controlled_by("policy", "dagger")),
        dagger(SIMULATED, _controlled_by("dagger")),
        node("gensim2_episodes", "collect", *GOAL, SIMULATED, on_exit=end_with),
    )
