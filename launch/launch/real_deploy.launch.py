"""Lets a controller perform a task on the real robot, on fake hardware, or in simulation, and ends.

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
    REAL_TIME_FACTOR,
    ROBOT,
    ROBOT_IP,
    SERIALS,
    SHADOW,
    SOLVER_ROOT,
    USE_FAKE_HARDWARE,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    Argument,
)
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with
from gensim2_launch.ros.hardware import SIM, decide_robot
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution
from launch_ros.parameter_descriptions import ParameterValue

TASK = Argument("task", "OpenBox", "Task of the catalogue")
CONTROLLER = Argument(
    "controller", "kpam", "Who performs it: kpam, policy, teleop (a person), or the name of a node"
)
GOAL = (
    TASK,
    CONTROLLER,
    Argument("instruction", "", "Instruction in words; empty = that of the task"),
)
_, ASSET, SEED = LABELLED_SCENE
DRIVER = (ROBOT, ROBOT_IP, USE_FAKE_HARDWARE, ALLOW_NON_RT, CONFIRM, DRIVER_PARAMETERS)
HARDWARE = (*DRIVER, CALIBRATION, *SERIALS, REAL_TIME_FACTOR)
GRAPH = (ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, VIEW, VIEW_PORT)


def generate_launch_description():
    """Declares the arguments, starts the graph and the task."""
    simulated = EqualsSubstitution(ROBOT.configuration(), SIM)
    return launch_file(
        __file__,
        (*GOAL, *LABELLED_SCENE, *HARDWARE, *GRAPH, SHADOW, PREVIEW_TIME, USE_SIM_TIME),
        OpaqueFunction(function=decide_robot),
        view(ASSET_ROOT, USE_SIM_TIME),
        include("robot.launch.py", TASK, *LABELLED_SCENE, *HARDWARE, ASSET_ROOT, OBS, USE_SIM_TIME),
        include(
            "core.launch.py", ASSET_ROOT, SOLVER_ROOT, OBS, NUM_POINTS, PREVIEW_TIME, USE_SIM_TIME
        ),
        include("shadow.launch.py", SHADOW, CALIBRATION, ASSET_ROOT, OBS, USE_SIM_TIME),
        node(
            "gensim2_teleop",
            "teleop",
            parameters={"use_sim_time": USE_SIM_TIME.parameter()},
            condition=IfCondition(EqualsSubstitution(CONTROLLER.configuration(), "teleop")),
        ),
        node(
            "gensim2_episodes",
            "deploy",
            *GOAL,
            *(ASSET, SEED, USE_SIM_TIME),
            # Before a simulated robot nothing stands until somebody asks for it.
            parameters={"reset": ParameterValue(simulated, value_type=bool)},
            on_exit=end_with,
        ),
    )
