"""The real body and eyes: Franka driver, cameras, labelled scene; or fake hardware behind them.

Its counterpart is robot_sim.launch.py.
"""

from pathlib import Path

from gensim2_launch.ros.arguments import (
    ALLOW_NON_RT,
    ARRANGE,
    ASSET_ROOT,
    BOOLEAN,
    CALIBRATION,
    CAMERAS,
    CONFIRM,
    DRIVER,
    DRIVER_PARAMETERS,
    LABELLED_SCENE,
    OBS,
    ROBOT_IP,
    SERIALS,
    TASK,
    USE_FAKE_HARDWARE,
    VIEW,
    VIEW_PORT,
    Argument,
)
from gensim2_launch.ros.description import launch_file, node, view
from gensim2_launch.ros.hardware import decide_hardware
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import EqualsSubstitution, LaunchConfiguration
from launch_ros.parameter_descriptions import ParameterValue

SCENE = (TASK, *LABELLED_SCENE)
DRAW_SCENE = Argument(
    "draw_scene",
    "auto",
    "Take a scene that the task draws where none is labelled; auto = with fake hardware",
    choices=("auto", *BOOLEAN),
)
CAMERA_FPS = Argument(
    "camera_fps",
    "auto",
    "Pictures per second of every camera; auto = 15, and 5 where this computer plays the robot too",
    int,
)
# Of three cameras the nearest pictures are up to 2/3 of a period apart; a cloud takes 50 ms.
LEAST_FPS = 14
GRAPH = (ASSET_ROOT, OBS, CALIBRATION, VIEW, VIEW_PORT)


def decide_scene(context):
    """A rehearsal on fake hardware needs nobody who clicks."""
    given = context.launch_configurations
    if given["draw_scene"] == "auto":
        labelled = given["use_fake_hardware"] == "false" or given["scene_file"]
        given["draw_scene"] = "false" if labelled else "true"
    if given[ARRANGE.name] == "auto":
        given[ARRANGE.name] = "false"


def decide_cameras(context):
    """Software cameras for fake hardware; real ones are told apart by their serial numbers."""
    given = context.launch_configurations
    given["camera_source"] = "software" if given["use_fake_hardware"] == "true" else "device"
    if given[CAMERA_FPS.name] == "auto":
        given[CAMERA_FPS.name] = "5" if given["use_fake_hardware"] == "true" else "15"
    if given["obs"] == "state" or given["camera_source"] == "software":
        return
    if float(given[CAMERA_FPS.name]) < LEAST_FPS:
        raise RuntimeError(
            f"{CAMERA_FPS.name}:={given[CAMERA_FPS.name]}: pictures of cameras that nothing "
            "synchronises would be too far apart to make one cloud; give 15 or more, or say "
            "obs:=state"
        )
    missing = [serial.name for serial in SERIALS if not given[serial.name]]
    if missing:
        raise RuntimeError(
            f"{', '.join(missing)} must be given with real cameras (rs-enumerate-devices -s lists "
            "them), or say obs:=state"
        )


def require_driver_parameters(context):
    """Without the file the driver would have its defaults: all that the robot can do."""
    file = Path(context.launch_configurations[DRIVER_PARAMETERS.name])
    if not file.is_file():
        raise RuntimeError(f"{DRIVER_PARAMETERS.name}:={file} is no file")


def camera(name):
    """One camera, with a node of its name."""
    return node(
        "gensim2_perception",
        "realsense_camera",
        CALIBRATION,
        name=name,
        parameters={
            "camera": name,
            "source": LaunchConfiguration("camera_source"),
            "serial": ParameterValue(LaunchConfiguration(f"{name}_serial"), value_type=str),
            "fps": CAMERA_FPS.parameter(),
        },
        condition=UnlessCondition(EqualsSubstitution(OBS.configuration(), "state")),
    )


def generate_launch_description():
    """Declares the arguments and starts driver and scene, and what is fake of the hardware."""
    fake = IfCondition(USE_FAKE_HARDWARE.configuration())
    draw = ParameterValue(DRAW_SCENE.configuration(), value_type=bool)
    arrange = ParameterValue(ARRANGE.configuration(), value_type=bool)
    return launch_file(
        __file__,
        (*DRIVER, *SCENE, ARRANGE, DRAW_SCENE, *SERIALS, CAMERA_FPS, *GRAPH),
        OpaqueFunction(function=decide_hardware),
        OpaqueFunction(function=decide_scene),
        OpaqueFunction(function=decide_cameras),
        OpaqueFunction(function=require_driver_parameters),
        view(ASSET_ROOT),
        node("gensim2_franka", "fake_robot", ROBOT_IP, condition=fake),
        node(
            "gensim2_franka",
            "franka_driver",
            ROBOT_IP,
            ALLOW_NON_RT,
            parameters={
                "confirm": ParameterValue(CONFIRM.configuration(), value_type=bool),
                "connect_timeout": 30.0,
                "heartbeat_required": True,
                "controller_state_rate": 50.0,
            },
            file=DRIVER_PARAMETERS,
        ),
        node(
            "gensim2_kpam",
            "labelled_scene",
            *SCENE,
            ASSET_ROOT,
            parameters={"draw": draw, "arrange": arrange},
        ),
        *(camera(name) for name in CAMERAS),
    )
