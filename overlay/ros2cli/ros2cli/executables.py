"""The executables that packages install below `lib/<package>`."""

import os
from pathlib import Path

from ament_index_python.packages import get_package_prefix

from ros2cli.command import CliError


def executables_of(prefix: Path, package: str) -> list[Path]:
    """All executable files below `<prefix>/lib/<package>`, sorted by name."""
    folder = prefix / "lib" / package
    found = [p for p in folder.rglob("*") if p.is_file() and os.access(p, os.X_OK)]
    return sorted(found, key=lambda path: (path.name, path))


def find_executable(package: str, name: str) -> Path:
    """The one executable of this name in a package.

    Raises:
        CliError: the package or the executable does not exist, or the name is not unique.
    """
    try:
        prefix = Path(get_package_prefix(package))
    except (LookupError, ValueError):
        raise CliError(f"Package '{package}' not found") from None
    available = executables_of(prefix, package)
    found = [path for path in available if path.name == name]
    if not found:
        names = ", ".join(sorted({path.name for path in available})) or "none"
        raise CliError(f"No executable found: '{package}' has no '{name}' (it has: {names})")
    if len(found) > 1:
        paths = "\n".join(f"- {path}" for path in found)
        raise CliError(f"Multiple executables found, call one by its path:\n{paths}")
    return found[0]
