"""Collects demonstrations on the real robot, on fake hardware, or in simulation.

Performed by the kPAM expert, or shown by a person with a keyboard or a SpaceMouse. The operator
says of each attempt whether it was a success. Exit code 0 only if every episode was collected.
"""

from gensim2_launch.ros.arguments import (
    ARRANGE,
    ASSET_ROOT,
    BOOLEAN,
    BRINGUP,
    CONTROLLER,
    LABELLED_SCENE,
    ROBOT,
    TASK,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    Argument,
    with_defaults,
)
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with
from gensim2_launch.ros.hardware import REAL, decide_robot
from launch.actions import OpaqueFunction

COLLECT = (
    Argument("episodes", "5", "Successful episodes to collect", int),
    Argument("dataset", "data/real_collect", "Folder of the data set; episodes are added to it"),
    Argument("keep_failures", "false", "Store failed episodes too, marked as such", bool, BOOLEAN),
    Argument("max_attempts", "0", "Attempts; 0 = 3 times the episodes and 5 more", int),
)
# A person sees simulated time as it passes; real cameras lose a picture now and then.
GRAPH = with_defaults(BRINGUP, real_time_factor="1", max_lost="20")
_, ASSET, SEED = LABELLED_SCENE


def decide_arrange(context):
    """Before a real robot somebody has to put the objects back."""
    given = context.launch_configurations
    if given[ARRANGE.name] == "auto":
        given[ARRANGE.name] = "true" if given[ROBOT.name] == REAL else "false"


def generate_launch_description():
    """Declares the arguments, starts the graph and the collector."""
    return launch_file(
        __file__,
        (*GRAPH, *COLLECT, VIEW, VIEW_PORT),
        OpaqueFunction(function=decide_robot),
        OpaqueFunction(function=decide_arrange),
        view(ASSET_ROOT, USE_SIM_TIME),
        include("bringup.launch.py", *GRAPH),
        node(
            "gensim2_episodes",
            "collect",
            *(*COLLECT, TASK, CONTROLLER, ASSET, SEED, USE_SIM_TIME),
            on_exit=end_with,
        ),
    )
