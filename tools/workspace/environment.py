"""The environment a command runs in: what sourcing the workspace gives, and a few settings."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workspace.layout import Workspace
from workspace.ros_installation import WORKSPACE_VARIABLE
from workspace.stamps import digest
from workspace.steps import StepError

_SEARCH_PATHS = (
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "PKG_CONFIG_PATH",
)
_OF_THE_SHELL = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
_PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"


@dataclass(frozen=True)
class Overlay:
    """What a workspace adds to an environment.

    Attributes:
        search: Search path variables, with the entries to be put in front, in order.
        settings: All other variables.
    """

    search: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, str]

    def onto(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Gives the environment with the additions; entries already there move to the front."""
        result = {**environ, **self.settings}
        for name, entries in self.search.items():
            old = environ.get(name, "").split(":")
            result[name] = ":".join(dict.fromkeys([*entries, *(e for e in old if e)]))
        return result


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Removes what would mislead Python or colcon: another workspace, another Python's home.

    Args:
        environ: An environment; inside `./ws` of another clone it holds that one's entries.
    """
    result = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    outer = result.pop(WORKSPACE_VARIABLE, None)
    if outer is None:
        return result
    for name in _SEARCH_PATHS:
        if name in result:
            entries = result.pop(name).split(":")
            kept = [entry for entry in entries if not Path(entry).is_relative_to(outer)]
            if any(kept):
                result[name] = ":".join(kept)
    if Path(result.get(_PROFILE, "")).is_relative_to(outer):
        del result[_PROFILE]
    return result


def sourced(files: Iterable[Path], environ: Mapping[str, str]) -> dict[str, str]:
    """Gives the environment after sourcing shell files; files that do not exist are skipped.

    Raises:
        StepError: If one of them fails.
    """
    present = [str(path) for path in files if path.is_file()]
    script = 'for file in "$@"; do . "$file" || exit; done; exec env -0'
    shell = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script, "bash", *present],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if shell.returncode != 0:
        raise StepError(
            f"sourcing {' '.join(present)} failed: {shell.stderr.decode(errors='replace').strip()}",
            mend="remove the folders build and install, which are made anew",
        )
    pairs = (pair.split("=", 1) for pair in shell.stdout.decode().split("\0") if "=" in pair)
    return {name: value for name, value in pairs}


def read_overlay(workspace: Workspace, *, ros_installed: bool) -> Overlay:
    """Sources the workspace in an empty environment and takes what that gives."""
    base = {"PATH": os.defpath.strip(":")}
    files = [] if ros_installed else [workspace.venv / "local_setup.sh"]
    after = sourced([*files, workspace.install / "local_setup.bash"], base)
    old = base["PATH"].split(":")
    search = {
        name: tuple(entry for entry in after[name].split(":") if entry and entry not in old)
        for name in _SEARCH_PATHS
        if name in after
    }
    # The environment's python comes before every other.
    programs = str(workspace.venv / "bin")
    search["PATH"] = (programs, *(entry for entry in search["PATH"] if entry != programs))
    settings = {
        name: value
        for name, value in after.items()
        if name not in _SEARCH_PATHS and name not in _OF_THE_SHELL
    }
    return Overlay(search, settings)


def cached_overlay(workspace: Workspace, built: str, *, ros_installed: bool) -> Overlay:
    """Gives `read_overlay`, which takes a second, from a file while nothing has changed.

    Args:
        workspace: The workspace.
        built: Digest of what is built.
        ros_installed: Whether ROS 2 is sourced.
    """
    setup = workspace.venv / "local_setup.sh"
    wheels = setup.read_bytes() if setup.is_file() else b""
    key = digest(
        [str(workspace.root), built, str(ros_installed), wheels, Path(__file__).read_bytes()]
    )
    cache = workspace.state / "environment.json"
    try:
        stored = json.loads(cache.read_text())
        if stored["key"] == key:
            search = {name: tuple(entries) for name, entries in stored["search"].items()}
            return Overlay(search, stored["settings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # No cache, or one that something has damaged: it is made anew.
    overlay = read_overlay(workspace, ros_installed=ros_installed)
    fresh = cache.with_suffix(".new")
    fresh.write_text(
        json.dumps({"key": key, "search": overlay.search, "settings": overlay.settings}, indent=1)
    )
    fresh.replace(cache)
    return overlay


def command_environment(
    workspace: Workspace, overlay: Overlay, environ: Mapping[str, str]
) -> dict[str, str]:
    """Gives the environment of a command.

    Args:
        workspace: The workspace.
        overlay: What it adds.
        environ: The caller's environment, cleaned; its own settings of ROS 2 are respected.
    """
    result = overlay.onto(environ)
    result[WORKSPACE_VARIABLE] = str(workspace.root)
    result["VIRTUAL_ENV"] = str(workspace.venv)
    result["PYTHONNOUSERSITE"] = "1"
    # Only this machine, unless the user says otherwise: robots on the same network stay apart.
    result.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    result.setdefault(_PROFILE, str(workspace.root / "launch" / "config" / "fastdds_profile.xml"))
    return result
