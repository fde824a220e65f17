"""Under which licence an asset is: what its folder says, and nothing that it does not say.

An imported asset says so in ``info.json`` (``licence`` or ``license``: an SPDX identifier), or with
a file LICENSE, LICENCE or COPYING in its folder or in one above it, up to the root of the assets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .asset_files import AssetError, read_file

UNKNOWN = "unknown"
# Identifiers of https://spdx.org/licenses/ that objects and meshes are usually under.
SPDX = frozenset(
    {
        *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD", "Unlicense"),
        *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-PDDC"),
        *("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0"),
        *("ODbL-1.0", "ODC-By-1.0", "PDDL-1.0", "MPL-2.0"),
        *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"),
        *("LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
    }
)
_FILES = re.compile(r"(licen[cs]e|copying)([-._].*)?", re.IGNORECASE)
_TAG = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+-]+)")
# How the texts of licences begin, spaces and lines joined.
_HEADS = {
    "Apache License Version 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "The MIT License": "MIT",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "Creative Commons Legal Code CC0 1.0 Universal": "CC0-1.0",
    "CC0 1.0 Universal": "CC0-1.0",
    "Attribution 4.0 International": "CC-BY-4.0",
    "Attribution-ShareAlike 4.0 International": "CC-BY-SA-4.0",
    "Attribution-NonCommercial 4.0 International": "CC-BY-NC-4.0",
    "Attribution-NonCommercial-ShareAlike 4.0 International": "CC-BY-NC-SA-4.0",
    "Creative Commons Attribution 4.0 International": "CC-BY-4.0",
}
_NOT_LISTED = "not an SPDX identifier that is known here"
_SILENT = (
    "no licence in info.json and no LICENSE file; objects of PartNet-Mobility, from which those "
    "with joints of the public GenSim2 derive, have terms of their own (research use, not to be "
    "redistributed with software), and its rigid ones come from collections with other terms"
)


@dataclass(frozen=True)
class Licence:
    """A licence as found.

    Attributes:
        identifier: Of SPDX, what the asset claims where that is none, or ``unknown``.
        source: The file that says so, relative to the root of the assets, or empty.
        note: What to know about it, or empty.
    """

    identifier: str
    source: str = ""
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether the identifier is one of SPDX that is listed here."""
        return self.identifier in SPDX

    def record(self) -> dict[str, str]:
        """What a manifest records."""
        return {
            "licence": self.identifier,
            "licence_source": self.source,
            "licence_note": self.note,
        }


def find_licence(claimed: str | None, folder: Path, root: Path) -> Licence:
    """Finds the licence of an asset.

    Args:
        claimed: What ``info.json`` says, None where it says nothing.
        folder: Folder of the asset.
        root: Folder above which nothing is looked at.
    """
    if claimed and claimed.strip().lower() != UNKNOWN:
        identifier = claimed.strip()
        note = "" if identifier in SPDX else _NOT_LISTED
        return Licence(identifier, _name(folder / "info.json", root), note)
    for place in (folder, *folder.parents) if folder.is_relative_to(root) else (folder,):
        file = _licence_file(place)
        if file is not None:
            return _of_file(file, root)
        if place == root:
            break
    return Licence(UNKNOWN, note=_SILENT)


def _licence_file(folder: Path) -> Path | None:
    try:
        return next((p for p in sorted(folder.iterdir()) if _FILES.fullmatch(p.name)), None)
    except OSError:  # a folder that may be passed and not listed
        return None


def _of_file(file: Path, root: Path) -> Licence:
    source = _name(file, root)
    try:
        text = read_file(file, needed="").decode("utf-8", "replace")
    except AssetError as error:
        return Licence(UNKNOWN, source, f"its licence cannot be read: {error}")
    if tag := _TAG.search(text):
        return Licence(tag[1], source, "" if tag[1] in SPDX else _NOT_LISTED)
    head = " ".join(text.split())
    found = [identifier for start, identifier in _HEADS.items() if head.startswith(start)]
    if found:
        return Licence(found[0], source)
    return Licence(UNKNOWN, source, f"read the terms in {source}; no SPDX identifier is in it")


def _name(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else file.name
