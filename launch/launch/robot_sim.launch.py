"""The simulated body and eyes: sim_bridge. Its counterpart is the driver of the real robot."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def end_with(event, context):
    """A node that dies ends the launch with an error, also where launch itself would not."""
    if not context.is_shutdown:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}")


def generate_launch_description():
    """Declares the arguments and starts the simulation."""
    calibration = PathJoinSubstitution([FindPackageShare("gensim2"), "config", "cameras.yaml"])
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "asset_root",
                default_value="",
                description="Folder of imported assets (articulated_objs/<category>/<id>); "
                "empty = generated ones",
            ),
            DeclareLaunchArgument(
                "obs",
                default_value="pointcloud",
                choices=["state", "pointcloud", "image"],
                description="What is observed beside the joints",
            ),
            DeclareLaunchArgument(
                "real_time_factor",
                default_value="0",
                description="Simulated seconds per second; 0 = as fast as possible",
            ),
            DeclareLaunchArgument(
                "calibration",
                default_value=calibration,
                description="Calibration file of the cameras",
            ),
            Node(
                package="gensim2_sim_bridge",
                executable="sim_bridge",
                name="sim_bridge",
                output="screen",
                parameters=[
                    {
                        "asset_root": ParameterValue(
                            LaunchConfiguration("asset_root"), value_type=str
                        ),
                        "obs": ParameterValue(LaunchConfiguration("obs"), value_type=str),
                        "real_time_factor": ParameterValue(
                            LaunchConfiguration("real_time_factor"), value_type=float
                        ),
                        "calibration": ParameterValue(
                            LaunchConfiguration("calibration"), value_type=str
                        ),
                        # The recorder takes references at the stamps of the observations.
                        "controller_state_rate": 50.0,
                    }
                ],
                on_exit=end_with,
            ),
        ]
    )
