"""Where everything of the workspace lies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workspace:
    """The folders and files of one clone.

    Attributes:
        root: Top folder of the repository, absolute.
    """

    root: Path

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def state(self) -> Path:
        """Stamps, the lock and the cached environment; may be deleted at any time."""
        return self.root / ".ws"

    @property
    def logs(self) -> Path:
        """One log file per step."""
        return self.root / "log" / "ws"

    @property
    def requirements(self) -> Path:
        """The pinned wheels, one file per group."""
        return self.root / "requirements"

    @property
    def build(self) -> Path:
        """What colcon builds in."""
        return self.root / "build"

    @property
    def install(self) -> Path:
        """What colcon installs to."""
        return self.root / "install"

    def sources(self, *, with_overlay: bool) -> list[Path]:
        """The folders that hold ROS packages.

        Args:
            with_overlay: Whether the stand-ins for ROS packages without a wheel are wanted,
                that is, whether no ROS 2 installation is sourced.
        """
        names = ("src", "launch", "overlay") if with_overlay else ("src", "launch")
        return [self.root / name for name in names if (self.root / name).is_dir()]
