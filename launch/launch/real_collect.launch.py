"""Collects demonstrations on the real robot, on fake hardware, or in simulation.

Performed by the kPAM expert, or shown by a person with a keyboard or a SpaceMouse. The operator
says of each attempt whether it was a success. Exit code 0 only if every episode was collected.
"""

from dataclasses import replace

from gensim2_launch.ros.arguments import (
    ALLOW_NON_RT,
    ARRANGE,
    ASSET_ROOT,
    BOOLEAN,
    CALIBRATION,
    CONFIRM,
    DRIVER_PARAMETERS,
    LABELLED_SCENE,
    MAX_LOST,
    NUM_POINTS,
    OBS,
    OBSERVATION_RATE,
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
from gensim2_launch.ros.hardware import FAKE, REAL, decide_robot
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution

TASK = Argument("task", "OpenBox", "Task of the catalogue")
CONTROLLER = Argument(
    "controller", "kpam", "Who performs it: kpam, policy, teleop (a person), or the name of a node"
)
COLLECT = (
    TASK,
    CONTROLLER,
    Argument("episodes", "5", "Successful episodes to collect", int),
    Argument("dataset", "data/real_collect", "Folder of the data set; episodes are added to it"),
    Argument("keep_failures", "false", "Store failed episodes too, marked as such", bool, BOOLEAN),
    Argument("max_attempts", "0", "Attempts; 0 = 3 times the episodes and 5 more", int),
)
_, ASSET, SEED = LABELLED_SCENE
DRIVER = (ROBOT_IP, USE_FAKE_HARDWARE, ALLOW_NON_RT, CONFIRM, DRIVER_PARAMETERS)
# A person sees simulated time as it passes.
BODY = (ROBOT, *DRIVER, *SERIALS, replace(REAL_TIME_FACTOR, default="1"))
SCENE = (*LABELLED_SCENE, ARRANGE)
RECORD = (
    OBS,
    replace(
        OBSERVATION_RATE,
        default="auto",
        description=f"{OBSERVATION_RATE.description}; auto = 10, and 5 with fake cameras",
    ),
    replace(MAX_LOST, default="20"),
)
GRAPH = (ASSET_ROOT, SOLVER_ROOT, NUM_POINTS, CALIBRATION, PREVIEW_TIME, SHADOW)


def decide_recording(context):
    """Fake cameras are slow; a robot that nobody has put an object before waits for one."""
    given = context.launch_configurations
    robot = given[ROBOT.name]
    if given[OBSERVATION_RATE.name] == "auto":
        slow = robot == FAKE and given[OBS.name] != "state"
        given[OBSERVATION_RATE.name] = "5" if slow else "10"
    if given[ARRANGE.name] == "auto":
        given[ARRANGE.name] = "true" if robot == REAL else "false"


def generate_launch_description():
    """Declares the arguments, starts the graph and the collector."""
    return launch_file(
        __file__,
        (*COLLECT, *BODY, *SCENE, *RECORD, *GRAPH, USE_SIM_TIME, VIEW, VIEW_PORT),
        OpaqueFunction(function=decide_robot),
        OpaqueFunction(function=decide_recording),
        view(ASSET_ROOT, USE_SIM_TIME),
        include("robot.launch.py", TASK, *BODY, *SCENE, OBS, CALIBRATION, ASSET_ROOT, USE_SIM_TIME),
        include(
            "core.launch.py",
            *RECORD,
            *(ASSET_ROOT, SOLVER_ROOT, NUM_POINTS, PREVIEW_TIME, USE_SIM_TIME),
        ),
        include("shadow.launch.py", SHADOW, CALIBRATION, ASSET_ROOT, OBS, USE_SIM_TIME),
        node(
            "gensim2_teleop",
            "teleop",
            parameters={"use_sim_time": USE_SIM_TIME.parameter()},
            condition=IfCondition(EqualsSubstitution(CONTROLLER.configuration(), "teleop")),
        ),
        node("gensim2_episodes", "collect", *COLLECT, ASSET, SEED, USE_SIM_TIME, on_exit=end_with),
    )
