"""Installs the pinned wheels, a group when it is first needed."""

import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from workspace import one_cpu, participant_end, relocate
from workspace.layout import Workspace
from workspace.stamps import digest
from workspace.steps import Runner, Step, StepError, StepLog
from workspace.venv import interpreter_paths

CONSTRAINTS = "constraints.txt"
# ROS 2 itself: from wheels, or what fits an installation that is sourced.
ROS_FROM_WHEELS = "ros"
ROS_INSTALLED = "ros_installed"
OPTIONAL_GROUPS = ("dev", "policy", "real", "generation", "local", "description")
# What `fix` does; where it changes, the wheels are fixed anew.
_FIXES = (one_cpu, participant_end, relocate)
# A command that names one of these needs the group.
_NAMED_BY = {
    "policy": ("gensim2_policy*", "sim_eval.launch.py"),
    "real": ("gensim2_franka*", "realsense_camera*", "real_*.launch.py"),
    "generation": ("gensim2_generation*", "generate.launch.py"),
    "description": ("make_robot_description*",),
}
# And one that says one of these.
_SAID_BY = {
    "controller:=policy": {"policy"},
    "controller:=dagger": {"policy"},
    "backend:=local": {"policy", "local"},
}


def groups_of(command: Sequence[str]) -> set[str]:
    """Tells which optional groups a command needs, by the words in it.

    Args:
        command: Program and arguments; launch files of the real robot begin with `real_`. The
            arguments of a launch name nothing, whatever their values, but for who acts or proposes.
    """
    names = [Path(word).name for word in command if ":=" not in word]
    named = {
        group
        for group, patterns in _NAMED_BY.items()
        if any(fnmatch(name, pattern) for name in names for pattern in patterns)
    }
    return named.union(*(_SAID_BY[word] for word in command if word in _SAID_BY))


def ensure(
    workspace: Workspace, runner: Runner, groups: Iterable[str], *, ros_installed: bool
) -> None:
    """Installs what is not yet installed of the core and of the given optional groups.

    Raises:
        StepError: If pip fails.
    """
    core = [ROS_INSTALLED if ros_installed else ROS_FROM_WHEELS, "core"]
    _ensure_group(workspace, runner, "core", core, ros_installed=ros_installed)
    for group in OPTIONAL_GROUPS:
        # A group once installed follows the changes of its pins.
        if group in groups or runner.stamps.read(f"wheels-{group}") is not None:
            _ensure_group(workspace, runner, group, [group], ros_installed=ros_installed)


def _ensure_group(
    workspace: Workspace, runner: Runner, group: str, files: Sequence[str], *, ros_installed: bool
) -> None:
    paths = [workspace.requirements / f"{name}.txt" for name in files]
    arguments: list[str | Path] = []
    for path in paths:
        arguments += ["-r", path]
    if not ros_installed:
        constraints = workspace.requirements / CONSTRAINTS
        arguments += ["-c", constraints]
        paths.append(constraints)

    def work(log: StepLog) -> None:
        pip: list[str | Path] = [workspace.python, "-E", "-s", "-m", "pip", "install"]
        quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        log.run([*pip, *quiet, *arguments])
        if not ros_installed:
            fix(workspace, log)

    paths += [Path(str(module.__file__)) for module in _FIXES]
    inputs = digest([str(workspace.venv), sys.version, *(path.read_bytes() for path in paths)])
    mend = (
        "if no version was found, this machine's index lacks a wheel (a network or a proxy?);"
        " otherwise read the log"
    )
    runner.run(Step(f"wheels-{group}", f"wheels {group}", work, mend, inputs))


def fix(workspace: Workspace, log: StepLog) -> None:
    """Adapts the ROS 2 wheels to the virtual environment they are in."""
    paths = interpreter_paths(workspace.python)
    if not (Path(paths["include"]) / "Python.h").is_file():
        raise StepError(
            f"there is no Python.h in {paths['include']}",
            mend="install the headers of this Python (Debian: apt-get install python3-dev)",
        )
    site_packages = Path(paths["purelib"])
    changed = relocate.relocate(workspace.venv, Path(paths["include"]), site_packages)
    log.write(f"{changed} cmake files relocated")
    try:
        mended = participant_end.mend(site_packages)
    except participant_end.UnknownRclpyError as error:
        raise StepError(str(error), mend=f"adapt {participant_end.__file__}") from None
    log.write("rclpy mended" if mended else "rclpy needed no mending")
