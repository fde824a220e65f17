"""Tells whether a ROS 2 installation is sourced."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workspace.steps import StepError

DISTRO = "jazzy"
# Set for every command that runs in a workspace: a nested ./ws must not mistake the outer
# workspace, which offers the `ros2` command too, for a ROS 2 installation.
WORKSPACE_VARIABLE = "GENSIM2_WORKSPACE"


@dataclass(frozen=True)
class RosInstallation:
    """A sourced ROS 2 installation.

    Attributes:
        distro: Its name, `jazzy`.
        prefix: The folder that holds the `ros2` command line, such as `/opt/ros/jazzy`.
    """

    distro: str
    prefix: Path


def find_sourced(environ: Mapping[str, str]) -> RosInstallation | None:
    """Finds the ROS 2 installation that was sourced in the caller's shell.

    Raises:
        StepError: If one is sourced that is not the distribution this project is made for.
    """
    workspace = environ.get(WORKSPACE_VARIABLE)
    for entry in environ.get("AMENT_PREFIX_PATH", "").split(":"):
        prefix = Path(entry)
        if not entry or (workspace and prefix.is_relative_to(workspace)):
            continue
        if (prefix / "share/ament_index/resource_index/packages/ros2cli").is_file():
            distro = environ.get("ROS_DISTRO", "")
            if distro != DISTRO:
                raise StepError(
                    f"ROS 2 {distro or 'of unknown distribution'} is sourced from {prefix};"
                    f" this project needs {DISTRO}",
                    mend=f"source a {DISTRO} installation, or use a shell where none is sourced",
                )
            return RosInstallation(distro, prefix)
    return None
