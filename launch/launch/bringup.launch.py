"""A whole graph that waits for something to do: robot, eyes, planner, expert, manager.

With controller:=teleop a person is its expert, with controller:=policy a trained policy. With
shadow:=true it is seen in SAPIEN, too.
"""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    BRINGUP,
    CALIBRATION,
    CONTROLLER,
    OBS,
    OBSERVATION_RATE,
    PREVIEW_TIME,
    ROBOT,
    ROBOT_AND_SCENE,
    SEEN,
    SHADOW,
    SOLVER_ROOT,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
)
from gensim2_launch.ros.controllers import policy
from gensim2_launch.ros.description import include, launch_file, node, view
from gensim2_launch.ros.hardware import FAKE, decide_robot
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution


def decide_rate(context):
    """Fake cameras are slow: this computer plays the robot, too."""
    given = context.launch_configurations
    if given[OBSERVATION_RATE.name] == "auto":
        slow = given[ROBOT.name] == FAKE and given[OBS.name] != "state"
        given[OBSERVATION_RATE.name] = "5" if slow else "10"


def generate_launch_description():
    """Declares the arguments and includes the parts."""
    person = IfCondition(EqualsSubstitution(CONTROLLER.configuration(), "teleop"))
    return launch_file(
        __file__,
        (*BRINGUP, VIEW, VIEW_PORT),
        OpaqueFunction(function=decide_robot),
        OpaqueFunction(function=decide_rate),
        view(ASSET_ROOT, USE_SIM_TIME),
        include("robot.launch.py", *ROBOT_AND_SCENE, ASSET_ROOT, OBS, USE_SIM_TIME),
        include("core.launch.py", *SEEN, ASSET_ROOT, SOLVER_ROOT, PREVIEW_TIME, USE_SIM_TIME),
        include("shadow.launch.py", SHADOW, CALIBRATION, ASSET_ROOT, OBS, USE_SIM_TIME),
        policy(USE_SIM_TIME, IfCondition(EqualsSubstitution(CONTROLLER.configuration(), "policy"))),
        node(
            "gensim2_teleop",
            "teleop",
            parameters={"use_sim_time": USE_SIM_TIME.parameter()},
            condition=person,
        ),
    )
