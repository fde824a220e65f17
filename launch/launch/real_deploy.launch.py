"""Lets a controller perform a task on the real robot, or on fake hardware, and ends.

Exit code 0 only if the controller has performed it. With a real robot nothing moves before an
operator has called robot/confirm.
"""

from gensim2_launch.ros.arguments import (
    ALLOW_NON_RT,
    ASSET_ROOT,
    CALIBRATION,
    CONFIRM,
    NUM_POINTS,
    OBS,
    ROBOT_IP,
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
SCENE = (
    Argument("scene_file", "", "File of the labels of the scene; empty = click on the keypoints"),
    Argument("asset", "", "Which object it is: asset reference, id or seed; empty = drawn by seed"),
    Argument("seed", "0", "Seed of what is drawn", int),
)
SERIALS = tuple(
    Argument(f"{camera}_serial", "", f"Serial number of the {camera}; needed with real cameras")
    for camera in ("wrist_camera", "left_camera", "right_camera")
)
HARDWARE = (ROBOT_IP, USE_FAKE_HARDWARE, ALLOW_NON_RT, CONFIRM, CALIBRATION, *SERIALS)
GRAPH = (ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, VIEW, VIEW_PORT)


def generate_launch_description():
    """Declares the arguments, starts the graph and the task."""
    return launch_file(
        __file__,
        (*GOAL, *SCENE, *HARDWARE, *GRAPH),
        view(ASSET_ROOT),
        include("robot_real.launch.py", TASK, *SCENE, *HARDWARE, ASSET_ROOT, OBS),
        include("core.launch.py", ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS),
        node("gensim2_episodes", "deploy", *GOAL, on_exit=end_with),
    )
