"""Folders of assets that are made once and kept for all processes of a user."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path


def keep(folder: Path, write: Callable[[Path], None]) -> Path:
    """Makes a folder where it is missing, all of it or nothing, and returns it.

    Args:
        folder: Where it is kept.
        write: Writes into a folder that does not exist yet; the same bytes whoever calls it.

    Raises:
        OSError: It cannot be written.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "asset"
        write(made)
        try:
            made.rename(folder)
        except OSError:
            # Another process has just made the same asset; its bytes are the same.
            if not folder.is_dir():
                raise
    return folder
