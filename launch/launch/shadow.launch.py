"""The digital shadow: SAPIEN follows robot and scene, shows plans, and what cameras should see.

It looks on: nothing it publishes is heard by a body, and whatever ends it, the work goes on.
"""

from dataclasses import replace

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    CALIBRATION,
    OBS,
    SHADOW,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    Argument,
    clouds_are_seen,
    is_launched,
)
from gensim2_launch.ros.description import launch_file, node, view
from gensim2_launch.ros.ends import end_with, go_on_without
from launch.actions import GroupAction
from launch.conditions import IfCondition
from launch_ros.actions import SetParameter

CAMERA_FOVY = Argument(
    "camera_fovy",
    "0.733",
    "Vertical field of view of the cameras, rad; 0.733 is that of the colour camera of a D435",
    float,
)
CAMERAS = [f"shadow/{name}" for name in ("wrist_camera", "left_camera", "right_camera")]


def generate_launch_description():
    """Declares the arguments and starts the shadow, its cloud, and the comparison of clouds."""
    on_exit = end_with if is_launched(__file__) else go_on_without
    shown = replace(SHADOW, default="true")
    options = {"on_exit": on_exit, "condition": clouds_are_seen()}
    shadow = [
        SetParameter("use_sim_time", USE_SIM_TIME.parameter()),
        node("gensim2_sim_bridge", "shadow", CALIBRATION, ASSET_ROOT, CAMERA_FOVY, on_exit=on_exit),
        # The very fusion of the real cameras, over what the shadow's cameras show.
        node(
            "gensim2_perception",
            "pointcloud_fusion",
            name="shadow_fusion",
            parameters={"cameras": CAMERAS, "min_cameras": 3, "num_points": 0, "voxel": 0.004},
            remappings=[("points", "shadow/points")],
            prefix="nice -n 10",
            **options,
        ),
        node("gensim2_perception", "cloud_overlay", prefix="nice -n 10", **options),
    ]
    return launch_file(
        __file__,
        (shown, CALIBRATION, CAMERA_FOVY, ASSET_ROOT, OBS, USE_SIM_TIME, VIEW, VIEW_PORT),
        view(ASSET_ROOT, USE_SIM_TIME),
        GroupAction(shadow, condition=IfCondition(SHADOW.configuration())),
    )
