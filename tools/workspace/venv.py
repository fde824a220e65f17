"""The virtual environment: made once, made anew when it cannot serve."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from workspace.layout import Workspace
from workspace.steps import Runner, Step, StepLog

MISSING = "there is none"


def read_config(venv: Path) -> dict[str, str]:
    """Reads `pyvenv.cfg`; empty if there is none."""
    try:
        text = (venv / "pyvenv.cfg").read_text()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def defect(venv: Path, version: tuple[int, int], *, system_site: bool) -> str | None:
    """Says why a virtual environment cannot serve, None if it can.

    Args:
        venv: Its folder.
        version: The Python wanted, major and minor.
        system_site: Whether it has to show the packages of the system's Python.
    """
    config = read_config(venv)
    if not config:
        return MISSING
    have = tuple(int(part) for part in config.get("version", "0.0").split(".")[:2])
    if have != version:
        return f"it has Python {'.'.join(map(str, have))}, wanted is {version[0]}.{version[1]}"
    if (config.get("include-system-site-packages") == "true") != system_site:
        return "a ROS 2 installation is " + ("sourced now" if system_site else "not sourced now")
    if not all((venv / "bin" / name).exists() for name in ("python", "pip", "activate")):
        return "it is incomplete"
    # The scripts in it name its place.
    if str(venv) not in (venv / "bin" / "activate").read_text():
        return "it was made in another place"
    return None


def ensure(workspace: Workspace, runner: Runner, *, system_site: bool) -> None:
    """Makes the virtual environment if there is none that can serve.

    Args:
        workspace: Where it belongs.
        runner: Reports.
        system_site: Whether a ROS 2 installation is sourced, whose packages are to be seen.

    Raises:
        StepError: If it cannot be made.
    """
    version = sys.version_info[:2]
    reason = defect(workspace.venv, version, system_site=system_site)
    if reason is None:
        return
    # The interpreter behind this one: it may be the environment's own that runs us.
    base = Path(sys.base_prefix) / "bin" / f"python{version[0]}.{version[1]}"

    def make(log: StepLog) -> None:
        # What was installed into the old one is gone with it.
        runner.stamps.clear("wheels-*")
        shutil.rmtree(workspace.venv, ignore_errors=True)
        flags = ["--system-site-packages"] if system_site else []
        log.run([base, "-E", "-s", "-m", "venv", *flags, workspace.venv])

    why = "" if reason == MISSING else f" (the old one: {reason})"
    title = f"virtual environment with {base}{why}"
    mend = "choose another Python: GENSIM2_PYTHON=/path/to/python3.11 ./ws ..."
    runner.run(Step("venv", title, make, mend))


def interpreter_paths(python: Path) -> Mapping[str, str]:
    """Asks an interpreter for its folders, as `sysconfig.get_paths` names them."""
    question = "import json, sysconfig; print(json.dumps(sysconfig.get_paths()))"
    answer = subprocess.run(
        [python, "-E", "-s", "-c", question], capture_output=True, check=True, timeout=60
    )
    return dict(json.loads(answer.stdout))
