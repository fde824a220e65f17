"""Which software wrote an episode."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from gensim2_episodes.manifest import SoftwareRecord

_DISTRIBUTIONS = ("gensim2_episodes", "sapien", "drake", "numpy", "zarr", "open3d-cpu")
_TIMEOUT = 10.0  # s


def software_record(source: Path | None = None) -> SoftwareRecord:
    """Versions of what matters for the data, and the commit of the source tree.

    Args:
        source: A file or folder of the source tree; default: this file.
    """
    versions = {"python": platform.python_version()}
    if distribution := os.environ.get("ROS_DISTRO"):
        versions["ros"] = distribution
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return SoftwareRecord(git_commit=git_commit(source or Path(__file__)), versions=versions)


def git_commit(source: Path) -> str:
    """Commit of the git work tree a file belongs to.

    Returns:
        The hash, with "-dirty" where tracked files differ from it; "unknown" outside a work tree.
    """
    folder = source.resolve()
    folder = folder if folder.is_dir() else folder.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return "unknown"
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if changed else commit


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
