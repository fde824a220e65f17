"""What simulated and real robot share: TF, fusion, planner, expert and episode manager."""

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import (
    EqualsSubstitution,
    FileContent,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def end_with(event, context):
    """A node that dies ends the launch with an error, also where launch itself would not."""
    if not context.is_shutdown:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}")


def generate_launch_description():
    """Declares the arguments and starts the nodes."""
    urdf = PathJoinSubstitution([FindPackageShare("gensim2"), "urdf", "fr3.urdf"])
    obs = LaunchConfiguration("obs")
    asset_root = ParameterValue(LaunchConfiguration("asset_root"), value_type=str)
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "asset_root",
                default_value="",
                description="Folder of imported assets; empty = generated ones",
            ),
            DeclareLaunchArgument(
                "obs",
                default_value="pointcloud",
                choices=["state", "pointcloud", "image"],
                description="What is recorded beside the joints",
            ),
            DeclareLaunchArgument(
                "solver_root",
                default_value="",
                description="Folder of own kPAM solver files; they come before packaged "
                "ones of the same names",
            ),
            DeclareLaunchArgument(
                "num_points", default_value="4096", description="Points of the fused cloud"
            ),
            Node(
                package="robot_state_publisher",
                executable="robot_state_publisher",
                name="robot_state_publisher",
                output="screen",
                parameters=[
                    {"robot_description": ParameterValue(FileContent(urdf), value_type=str)}
                ],
                on_exit=end_with,
            ),
            Node(
                package="gensim2_perception",
                executable="pointcloud_fusion",
                name="pointcloud_fusion",
                output="screen",
                condition=IfCondition(EqualsSubstitution(obs, "pointcloud")),
                parameters=[
                    {
                        "num_points": ParameterValue(
                            LaunchConfiguration("num_points"), value_type=int
                        ),
                        # A cloud that lacks a camera has no place in a data set.
                        "min_cameras": 3,
                    }
                ],
                on_exit=end_with,
            ),
            Node(
                package="gensim2_kpam",
                executable="kpam_planner",
                name="kpam_planner",
                output="screen",
                parameters=[
                    {
                        "asset_root": asset_root,
                        "solver_root": ParameterValue(
                            LaunchConfiguration("solver_root"), value_type=str
                        ),
                    }
                ],
                on_exit=end_with,
            ),
            Node(
                package="gensim2_kpam",
                executable="kpam_expert",
                name="kpam_expert",
                output="screen",
                on_exit=end_with,
            ),
            Node(
                package="gensim2_episodes",
                executable="episode_manager",
                name="episode_manager",
                output="screen",
                parameters=[{"obs": ParameterValue(obs, value_type=str)}],
                on_exit=end_with,
            ),
        ]
    )
