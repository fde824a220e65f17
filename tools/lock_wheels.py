"""Renews requirements/constraints.txt: the versions of the wheels that others bring along.

Usage: ./ws python tools/lock_wheels.py
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
GROUPS = ("ros", "core", "dev", "policy", "real", "generation", "local", "description")
# The variants of torch for other hardware pin these themselves.
_OF_TORCH = ("nvidia-", "cuda-")
_HEADER = """\
# Versions of the wheels that those in the other files bring along.
# Written by tools/lock_wheels.py; not to be edited by hand.
"""


def normalised(name: str) -> str:
    """Gives the canonical form of the name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_names(folder: Path) -> set[str]:
    """Lists the distributions that are asked for by name in any group."""
    lines = [line for group in GROUPS for line in (folder / f"{group}.txt").read_text().split("\n")]
    return {
        normalised(re.split(r"[\[=; ]", line)[0])
        for line in lines
        if line.strip() and not line.startswith("#")
    }


def resolve(folder: Path) -> dict[str, str]:
    """Asks pip which versions it would install into an empty environment.

    Returns:
        Canonical name to version.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        files = [word for group in GROUPS for word in ("-r", str(folder / f"{group}.txt"))]
        subprocess.run([*pip, "--report", str(report), *files], check=True)
        found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return {normalised(item["name"]): item["version"] for item in found}


def main() -> None:
    """Writes the file."""
    asked = direct_names(REQUIREMENTS)
    pins = [
        f"{name}=={version.split('+')[0]}"
        for name, version in sorted(resolve(REQUIREMENTS).items())
        if name not in asked and not name.startswith(_OF_TORCH)
    ]
    (REQUIREMENTS / "constraints.txt").write_text(_HEADER + "\n".join(pins) + "\n")
    print(f"{len(pins)} versions written")


if __name__ == "__main__":
    main()
