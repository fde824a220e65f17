"""Shows the graph: RViz, or a page for a browser. It looks on; nothing waits for it."""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    is_launched,
)
from gensim2_launch.ros.description import launch_file, node
from gensim2_launch.ros.ends import end_with, go_on_without
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import EqualsSubstitution, PathJoinSubstitution, SubstitutionFailure
from launch_ros.actions import SetParameter
from launch_ros.substitutions import FindPackageShare


def refuse_what_cannot_be_seen(context):
    """Says so before anything starts."""
    chosen = context.launch_configurations["view"]
    if chosen == "none" and is_launched(__file__):
        raise RuntimeError("view:=none shows nothing; say view:=rviz or view:=web")
    if chosen == "rviz":
        try:
            FindPackageShare("rviz2").perform(context)
        except (LookupError, SubstitutionFailure):
            raise RuntimeError(
                "rviz2 is not installed; use view:=web, or install the package rviz2 of ROS 2"
            ) from None


def generate_launch_description():
    """Declares the arguments and starts the view."""
    settings = PathJoinSubstitution([FindPackageShare("gensim2"), "rviz", "gensim2.rviz"])
    on_exit = end_with if is_launched(__file__) else go_on_without
    return launch_file(
        __file__,
        (VIEW, VIEW_PORT, ASSET_ROOT, USE_SIM_TIME),
        OpaqueFunction(function=refuse_what_cannot_be_seen),
        SetParameter("use_sim_time", USE_SIM_TIME.parameter()),
        node(
            "rviz2",
            "rviz2",
            arguments=["-d", settings],
            on_exit=on_exit,
            condition=IfCondition(EqualsSubstitution(VIEW.configuration(), "rviz")),
        ),
        node(
            "gensim2_view",
            "web_view",
            ASSET_ROOT,
            parameters={"port": VIEW_PORT.parameter()},
            on_exit=on_exit,
            condition=IfCondition(EqualsSubstitution(VIEW.configuration(), "web")),
        ),
    )
