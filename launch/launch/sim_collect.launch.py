"""Collects kPAM demonstrations in simulation and ends when the data set is complete.

Exit code 0 only if every requested episode was collected.
"""

import difflib
import sys
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, SetParameter
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription

ARGUMENTS = (
    ("task", "OpenBox", "Task name, a comma list of names, or 'all'", None),
    ("asset", "", "Asset reference, id or seed; empty = another one for every episode", None),
    (
        "asset_root",
        "",
        "Folder of imported assets (articulated_objs/<category>/<id>); empty = generated ones",
        None,
    ),
    (
        "solver_root",
        "",
        "Folder of own kPAM solver files; they come before packaged ones of the same names",
        None,
    ),
    ("episodes", "5", "Successful episodes to collect of every task", None),
    ("seed", "0", "Seed of the first attempt; the following are derived from it", None),
    ("randomize", "true", "Draw pose and openness of the objects", ["true", "false"]),
    ("dataset", "data/sim_collect", "Folder of the data set; episodes are added to it", None),
    (
        "obs",
        "pointcloud",
        "What is recorded beside the joints",
        ["state", "pointcloud", "image"],
    ),
    ("num_points", "4096", "Points of the fused cloud", None),
    ("real_time_factor", "0", "Simulated seconds per second; 0 = as fast as possible", None),
    ("keep_failures", "false", "Store failed episodes too, marked as such", ["true", "false"]),
    ("max_attempts", "0", "Attempts per task; 0 = 3 times the episodes and 5 more", None),
)
TYPES = {
    "task": str,
    "asset": str,
    "episodes": int,
    "seed": int,
    "randomize": bool,
    "dataset": str,
    "keep_failures": bool,
    "max_attempts": int,
}


def end_with(event, context):
    """The collector's exit code becomes that of the launch: an exception makes it 1.

    Also after Ctrl-C or the death of another node: the data set is not complete then.
    """
    if event.returncode:
        raise RuntimeError(f"{event.process_name} ended with exit code {event.returncode}")
    return Shutdown(reason="the data set is complete")


def refuse_unknown_arguments(context, description):
    """Launch itself ignores a misspelt argument, and the default would be collected.

    A file that includes this one has arguments of its own on the command line.
    """
    if Path(__file__).name not in {Path(word).name for word in sys.argv}:
        return
    known = [argument.name for argument in description.get_launch_arguments()]
    for name in (word.partition(":=")[0] for word in context.argv):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(known)}"
            raise RuntimeError(f"unknown launch argument '{name}'; {hint}")


def refuse_no_points(context):
    """0 means all points to the fusion; the clouds of a data set are of one size."""
    points = context.launch_configurations["num_points"]
    if not points.isdigit() or int(points) < 1:
        raise RuntimeError(f"num_points:={points}: a data set needs clouds of at least one point")


def include(name, *arguments):
    """Another launch file of this package, with arguments of the same names."""
    path = PathJoinSubstitution([FindPackageShare("gensim2"), "launch", name])
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path),
        launch_arguments=[(a, LaunchConfiguration(a)) for a in arguments],
    )


def generate_launch_description():
    """Declares the arguments, starts the graph and the collector."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
        for name, default, text, choices in ARGUMENTS
    ]
    goal = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, kind in TYPES.items()
    }
    description = LaunchDescription()
    description.add_action(OpaqueFunction(function=refuse_unknown_arguments, args=[description]))
    for action in (
        *declared,
        OpaqueFunction(function=refuse_no_points),
        SetParameter("use_sim_time", True),
        include("robot_sim.launch.py", "asset_root", "obs", "real_time_factor"),
        include("core.launch.py", "asset_root", "solver_root", "obs", "num_points"),
        Node(
            package="gensim2_episodes",
            executable="collect",
            name="collect",
            output="screen",
            parameters=[goal],
            on_exit=end_with,
        ),
    ):
        description.add_action(action)
    return description
