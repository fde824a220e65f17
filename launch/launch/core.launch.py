"""What simulated and real robot share: TF, fusion, planner, expert and episode manager."""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    MAX_LOST,
    NUM_POINTS,
    OBS,
    OBSERVATION_RATE,
    PREVIEW_TIME,
    SEEN,
    SOLVER_ROOT,
    USE_SIM_TIME,
    VIEW,
    VIEW_PORT,
    clouds_are_seen,
)
from gensim2_launch.ros.description import launch_file, node, view
from launch.substitutions import (
    FileContent,
    IfElseSubstitution,
    PathJoinSubstitution,
)
from launch_ros.actions import SetParameter
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare


def _simulated(simulated, real, kind):
    """Returns a parameter that depends on whether time is that of a simulation."""
    value = IfElseSubstitution(USE_SIM_TIME.configuration(), simulated, real)
    return ParameterValue(value, value_type=kind)


def generate_launch_description():
    """Declares the arguments and starts the nodes."""
    urdf = PathJoinSubstitution([FindPackageShare("gensim2"), "urdf", "fr3.urdf"])
    return launch_file(
        __file__,
        (ASSET_ROOT, SOLVER_ROOT, *SEEN, PREVIEW_TIME, USE_SIM_TIME, VIEW, VIEW_PORT),
        view(ASSET_ROOT, USE_SIM_TIME),
        SetParameter("use_sim_time", USE_SIM_TIME.parameter()),
        node(
            "robot_state_publisher",
            "robot_state_publisher",
            parameters={"robot_description": ParameterValue(FileContent(urdf), value_type=str)},
        ),
        node(
            "gensim2_perception",
            "pointcloud_fusion",
            NUM_POINTS,
            parameters={
                # A cloud that lacks a camera has no place in a data set.
                "min_cameras": 3,
                # A simulation waits for its recorder. Real cameras wait for nobody: what lies in a
                # queue is old: that is short, only the newest counts, and old pictures do not.
                "queue_depth": _simulated("10", "2", int),
                "newest_only": _simulated("false", "true", bool),
                "max_age": _simulated("0.0", "0.5", float),
            },
            condition=clouds_are_seen(),
        ),
        node("gensim2_kpam", "kpam_planner", ASSET_ROOT, SOLVER_ROOT),
        node("gensim2_kpam", "kpam_expert", PREVIEW_TIME),
        node(
            "gensim2_episodes",
            "episode_manager",
            OBS,
            OBSERVATION_RATE,
            MAX_LOST,
            parameters={
                # A simulation collects over night, and nobody is there to recover it.
                "recover_lost_heartbeat": USE_SIM_TIME.parameter(),
                # A simulation measures when the recorder wants it to, everything at once.
                "paced": _simulated("false", "true", bool),
            },
        ),
    )
