"""The simulated body and eyes: sim_bridge. Its counterpart is the driver of the real robot."""

from gensim2_launch.ros.arguments import (
    ASSET_ROOT,
    CALIBRATION,
    JUDGE,
    OBS,
    RANDOMISED,
    REAL_TIME_FACTOR,
    SIMULATED,
    VIEW,
    VIEW_PORT,
)
from gensim2_launch.ros.description import launch_file, node, view
from launch_ros.actions import SetParameter


def generate_launch_description():
    """Declares the arguments and starts the simulation."""
    body = (ASSET_ROOT, OBS, REAL_TIME_FACTOR, CALIBRATION, JUDGE, *RANDOMISED)
    return launch_file(
        __file__,
        (*body, SIMULATED, VIEW, VIEW_PORT),
        view(ASSET_ROOT, SIMULATED),
        SetParameter("use_sim_time", SIMULATED.parameter()),
        node(
            "gensim2_sim_bridge",
            "sim_bridge",
            *body,
            # The recorder takes references at the stamps of the observations.
            parameters={"controller_state_rate": 50.0},
        ),
    )
