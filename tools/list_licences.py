"""Renews requirements/licences.toml from the installed wheels, and docs/licences.md from it.

Usage: ./ws python tools/list_licences.py

Licences of wheels that are not installed here, or that say nothing, stay as they are written there.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import Distribution, distributions
from pathlib import Path

import tomllib
from lock_wheels import normalised

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "requirements" / "licences.toml"
PAGE = ROOT / "docs" / "licences.md"
# What else the fields and classifiers of metadata call the licences.
NAMES = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "zlib license": "Zlib",
}
_HEAD = """\
# Licences of all pinned wheels: SPDX expression, and where it was read. See docs/licences.md.
# tools/list_licences.py renews what installed wheels say of themselves; the rest is written by
# hand, with the place in other words. tests/test_licences.py names what is missing or unknown.
"""
BY_TOOL = ("License-Expression", "License", "classifier", "package.xml")


def pinned() -> dict[str, set[str]]:
    """Lists every pinned wheel with the groups that name it."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        for line in file.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                name = normalised(re.split(r"[\[=]", line)[0])
                found.setdefault(name, set()).add(file.stem)
    return found


def atoms(expression: str) -> list[str]:
    """Takes a licence expression apart."""
    parts = re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", expression)
    return [part.strip() for part in parts if part.strip()]


def stated(distribution: Distribution, allowed: set[str]) -> tuple[str, str] | None:
    """Reads what a wheel says of its licence.

    Returns:
        An SPDX expression and where it stands; None where nothing clear is said.
    """
    metadata = distribution.metadata
    if expression := "".join(metadata.get_all("License-Expression") or ()):
        return expression, "License-Expression"
    field = "".join(metadata.get_all("License") or ()).strip()
    # Some put the whole text there, with its name in the first line.
    fields = [(field, "License"), (field.split("\n")[0].strip(), "License")]
    for text, place in [*fields, *((c, "classifier") for c in _classifiers(distribution))]:
        expression = NAMES.get(text.lower(), text)
        if text and set(atoms(expression)) <= allowed:
            return expression, place
    return _of_manifest(distribution)


def _classifiers(distribution: Distribution) -> list[str]:
    found = distribution.metadata.get_all("Classifier") or ()
    names = [c.split(" :: ")[-1] for c in found if c.startswith("License")]
    # Several of them: nobody says whether all or any of them hold.
    return names if len(names) == 1 else []


def _of_manifest(distribution: Distribution) -> tuple[str, str] | None:
    """Reads the package.xml of a ROS package."""
    name = normalised(distribution.metadata["Name"])
    wanted = name.removeprefix("ros-").removeprefix("jazzy-").replace("-", "_")
    if not name.startswith("ros-"):
        return None
    file = Path(sys.prefix) / "share" / wanted / "package.xml"
    if not file.is_file():
        return None
    found = {" ".join((e.text or "").split()) for e in ET.parse(file).getroot().iter("license")}
    names = [NAMES.get(text.lower(), text) for text in sorted(found)]
    return " AND ".join(names), "package.xml"


def read_table() -> tuple[set[str], dict[str, tuple[str, str]]]:
    """Reads the table: allowed identifiers, and per wheel the licence and where it was read."""
    document = tomllib.loads(TABLE.read_text())
    wheels = {name: (entry[0], entry[1]) for name, entry in document["wheels"].items()}
    return set(document["allowed"]), wheels


def renewed(
    allowed: set[str], wheels: dict[str, tuple[str, str]], pins: dict[str, set[str]]
) -> dict[str, tuple[str, str]]:
    """Gives the table as it should be: without what is not pinned, with what wheels say."""
    installed = {normalised(d.metadata["Name"]): d for d in distributions()}
    table = {}
    for name in sorted(pins):
        says = stated(installed[name], allowed) if name in installed else None
        if name in wheels and (says is None or wheels[name][1] not in BY_TOOL):
            table[name] = wheels[name]
        elif says is not None:
            table[name] = says
    return table


def page(wheels: dict[str, tuple[str, str]], pins: dict[str, set[str]]) -> str:
    """Writes the document."""
    lines = [
        "# Licences",
        "",
        "This project is under Apache-2.0; see `LICENSE`, and `NOTICE` for the robot description.",
        "",
        "## Assets",
        "",
        "Generated objects are under Apache-2.0 like the project. An imported object is under",
        "what its folder says: `licence` in `info.json`, or a file `LICENSE` in the folder or",
        "above it, up to `asset_root`. Where nothing says it, it is recorded as `unknown`: objects",
        "with joints of the public GenSim2 derive from PartNet-Mobility, which has terms of its",
        "own (research use, not to be redistributed with software), its rigid ones come from",
        "collections with other terms. `scene/reset` reports licence, source and note of its",
        "assets, and the manifest of an episode keeps them.",
        "",
        "## Wheels",
        "",
        "All wheels that `requirements/` pins, with what they bring along. None of them is part of",
        "this repository; `./ws` installs them from PyPI. Written by `tools/list_licences.py` from",
        "`requirements/licences.toml`, which says where each was read.",
        "",
        "| wheel | licence | read in | group |",
        "|---|---|---|---|",
    ]
    for name, (licence, place) in sorted(wheels.items()):
        groups = ", ".join(sorted(pins.get(name, ())))
        lines.append(f"| `{name}` | {licence} | {place} | {groups} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes both files; 1 where a licence is missing."""
    allowed, wheels = read_table()
    pins = pinned()
    table = renewed(allowed, wheels, pins)
    rows = [f"{name} = [{json.dumps(a)}, {json.dumps(b)}]" for name, (a, b) in table.items()]
    listed = "".join(f"  {json.dumps(name)},\n" for name in sorted(allowed))
    TABLE.write_text(
        _HEAD + f"allowed = [\n{listed}]\n\n[wheels]\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    PAGE.write_text(page(table, pins), encoding="utf-8")
    missing = sorted({*pins} - {*table})
    if missing:
        print(f"no licence is known of: {', '.join(missing)}; add them to {TABLE.name}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
