"""Lets a controller perform a task on the real robot, on fake hardware or in simulation, and ends.

Exit code 0 only if the controller has performed it. With a real robot nothing moves before an
operator has called robot/confirm.
"""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    BRINGUP,
    CONTROLLER,
    LABELLED_SCENE,
    ROBOT,
    TASK,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    Argument,
)
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.ends import end_with
from gensim2_launch.ros.hardware import SIM, decide_robot
from launch.actions import OpaqueFunction
from launch.substitutions import EqualsSubstitution
from launch_ros.parameter_descriptions import ParameterValue

INSTRUCTION = Argument("instruction", "", "Instruction in words; empty = that of the task")
_, ASSET, SEED = LABELLED_SCENE


def generate_launch_description():
    """Declares the arguments, starts the graph and the task."""
    # Before a simulated robot nothing stands until somebody asks for it.
    simulated = ParameterValue(EqualsSubstitution(ROBOT.configuration(), SIM), value_type=bool)
    return launch_file(
        __file__,
        (*BRINGUP, INSTRUCTION, VIEW, VIEW_PORT),
        OpaqueFunction(function=decide_robot),
        view(ASSET_ROOT, USE_SIM_TIME),
        include("bringup.launch.py", *BRINGUP),
        node(
            "gensim2_episodes",
            "deploy",
            *(TASK, CONTROLLER, INSTRUCTION, ASSET, SEED, USE_SIM_TIME),
            parameters={"reset": simulated},
            on_exit=end_with,
        ),
    )
