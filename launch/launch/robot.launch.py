"""The robot, whichever it is: simulated, fake or real. All else is the same for the three."""

from gensim2_launch.ros.arguments import (
    ARRANGE,
    ASSET_ROOT,
    CALIBRATION,
    DRIVER,
    LABELLED_SCENE,
    OBS,
    REAL_TIME_FACTOR,
    ROBOT,
    ROBOT_AND_SCENE,
    SERIALS,
    TASK,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
)
from gensim2_launch.ros.description import include, launch_file, view
from gensim2_launch.ros.hardware import SIM, decide_robot
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import EqualsSubstitution

BOTH = (ASSET_ROOT, OBS, CALIBRATION)


def generate_launch_description():
    """Declares the arguments and includes what the robot needs."""
    simulated = EqualsSubstitution(ROBOT.configuration(), SIM)
    return launch_file(
        __file__,
        (*ROBOT_AND_SCENE, ASSET_ROOT, OBS, USE_SIM_TIME, VIEW, VIEW_PORT),
        OpaqueFunction(function=decide_robot),
        view(ASSET_ROOT, USE_SIM_TIME),
        include(
            "robot_sim.launch.py",
            *BOTH,
            REAL_TIME_FACTOR,
            USE_SIM_TIME,
            condition=IfCondition(simulated),
        ),
        include(
            "robot_real.launch.py",
            *(TASK, *LABELLED_SCENE, ARRANGE, *DRIVER, *SERIALS, *BOTH),
            condition=UnlessCondition(simulated),
        ),
    )
