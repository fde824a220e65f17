"""`./ws test`: the tests of every package, and the static checks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from workspace.layout import Workspace
from workspace.packages import find_packages
from workspace.steps import Runner

DOMAIN_VARIABLE = "ROS_DOMAIN_ID"
_SIDE_BY_SIDE = ("-m", "not alone", "--dist", "loadfile")
_MOST_WORKERS = 8
_SLOWEST = ("--durations=20",)
# Beside the tests that come after them, which mostly wait: they get what those leave. By niceness.
_MEANWHILE = {"mypy": 19, "tests that bear company": 5}


def run_all(
    workspace: Workspace,
    runner: Runner,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    with_overlay: bool,
) -> int:
    """Runs the tests; with no arguments all of them, and ruff and mypy as well.

    Args:
        workspace: The workspace.
        runner: Says which checks failed.
        arguments: Of pytest; paths are relative to the top of the repository.
        environ: Environment of the workspace.
        with_overlay: Whether the overlay belongs to the workspace.

    Returns:
        0 if all is well, else 1.
    """
    environment = dict(environ)
    # Nothing else on this machine shall meet the graphs of the tests. Above 100 the ports
    # of a domain reach those the kernel gives to others.
    environment.setdefault(DOMAIN_VARIABLE, str(1 + os.getpid() % 98))
    _remove_unused_shared_memory(environment)
    failed = []
    meanwhile: list[tuple[str, subprocess.Popen[bytes], IO[bytes]]] = []
    # Those that run beside others have a domain of their own.
    environment_beside = {DOMAIN_VARIABLE: str(int(environment[DOMAIN_VARIABLE]) + 1)}
    for name, command, extra in _commands(workspace, arguments, with_overlay=with_overlay):
        given = {**environment, **extra}
        if name in _MEANWHILE:
            # A file, as a pipe that nobody reads is full after some failures.
            told = tempfile.TemporaryFile()  # noqa: SIM115 - it is read when the process has ended
            process = subprocess.Popen(
                ["nice", "-n", str(_MEANWHILE[name]), *command],
                env={**given, **environment_beside},
                cwd=workspace.root,
                stdout=told,
            )
            meanwhile.append((name, process, told))
            continue
        if not arguments:
            runner.say(f"checking: {name}")
        if subprocess.run(command, env=given, cwd=workspace.root).returncode != 0:
            failed.append(name)
    for name, process, said in meanwhile:
        process.wait()
        with said:
            said.seek(0)
            text = said.read().decode(errors="replace").rstrip()
        runner.say(f"checked meanwhile: {name}\n{text}")
        if process.returncode != 0:
            failed.append(name)
    if failed:
        runner.say(f"FAILED: {', '.join(failed)}")
        return 1
    return 0


def _commands(
    workspace: Workspace, arguments: Sequence[str], *, with_overlay: bool
) -> list[tuple[str, list[str], dict[str, str]]]:
    """Lists the checks: name, command line, additional environment."""
    python = str(workspace.python)
    # Generated inputs are the same in every run, and no test fails for being slow.
    pytest = [python, "-m", "pytest", "--hypothesis-profile=ci"]
    sources = workspace.sources(with_overlay=with_overlay)
    if arguments:
        return [("tests", [*pytest, *arguments], {})]
    tests = [*map(str, sources), str(workspace.root / "tests")]
    modules = _python_packages(sources)
    tools = workspace.root / "tools"
    programs = _programs(workspace.root / "bench")
    mypy = [python, "-m", "mypy", *map(str, [*modules, *programs, tools / "workspace"])]
    # Where mypy finds the packages: it shall read our sources, not what is installed of them.
    folders = [*(module.parent for module in modules), *{file.parent for file in programs}, tools]
    roots = ":".join(map(str, folders))
    return [
        ("ruff", [python, "-m", "ruff", "check", "."], {}),
        ("tests side by side", [*pytest, *_SIDE_BY_SIDE, "-n", _workers(), *tests], {}),
        ("mypy", mypy, {"MYPYPATH": roots}),
        (
            "tests that bear company",
            [*pytest, "-m", "alone and beside", "-p", "no:cacheprovider", *_SLOWEST, *tests],
            {},
        ),
        ("tests one by one", [*pytest, "-m", "alone and not beside", *_SLOWEST, *tests], {}),
    ]


def _workers() -> str:
    """Number of tests that run side by side; each may take a gigabyte."""
    return str(max(1, min(_MOST_WORKERS, os.cpu_count() or 1)))


def _programs(folder: Path) -> list[Path]:
    """Lists the modules of a program and of those in its folders, which are no packages.

    Only one `__main__` can be checked at a time; that of an inner one is left out.
    """
    inner = (file for file in folder.glob("*/*.py") if file.name != "__main__.py")
    return sorted([*folder.glob("*.py"), *inner])


def _python_packages(sources: Sequence[Path]) -> list[Path]:
    """Lists the Python packages within the ROS packages; tests are not among them."""
    return [
        module.parent
        for package in find_packages(sources)
        for module in sorted(package.folder.glob("*/__init__.py"))
        if module.parent.name != "test"
    ]


def _remove_unused_shared_memory(environ: Mapping[str, str]) -> None:
    """Removes what killed processes left in shared memory; used segments stay."""
    tool = shutil.which("fastdds", path=environ.get("PATH"))
    if tool is not None:
        subprocess.run([tool, "shm", "clean"], env=dict(environ), capture_output=True)
