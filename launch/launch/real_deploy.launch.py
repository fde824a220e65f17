"""Lets a controller perform a task on the real robot, or on fake hardware, and ends.

Exit code 0 only if the controller has performed it. With a real robot nothing moves before an
operator has called robot/confirm.
"""

from gensim2_launch.ros.arguments import (
    ALLOW_NON_RT,
    ASSET_ROOT,
    CALIBRATION,
    CONFIRM,
    DRIVER_PARAMETERS,
    LABELLED_SCENE,
    NUM_POINTS,
    OBS,
    PREVIEW_TIME,
    ROBOT_IP,
    SERIALS,
    SHADOW,
    SOLVER_ROOT,
    USE_FAKE_HARDWARE,
    VIEW,
    VIEW_PORT,
    Argument,
)
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with

TASK = Argument("task", "OpenBox", "Task of the catalogue")
GOAL = (
    TASK,
    Argument("controller", "kpam", "Who performs it: kpam, policy, or the name of a node"),
    Argument("instruction", "", "Instruction in words; empty = that of the task"),
)
DRIVER = (ROBOT_IP, USE_FAKE_HARDWARE, ALLOW_NON_RT, CONFIRM, DRIVER_PARAMETERS)
HARDWARE = (*DRIVER, CALIBRATION, *SERIALS)
GRAPH = (ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, VIEW, VIEW_PORT)


def generate_launch_description():
    """Declares the arguments, starts the graph and the task."""
    return launch_file(
        __file__,
        (*GOAL, *LABELLED_SCENE, *HARDWARE, *GRAPH, SHADOW, PREVIEW_TIME),
        view(ASSET_ROOT),
        include("robot_real.launch.py", TASK, *LABELLED_SCENE, *HARDWARE, ASSET_ROOT, OBS),
        include("core.launch.py", ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, PREVIEW_TIME),
        include("shadow.launch.py", SHADOW, CALIBRATION, ASSET_ROOT, OBS),
        node("gensim2_episodes", "deploy", *GOAL, on_exit=end_with),
    )
