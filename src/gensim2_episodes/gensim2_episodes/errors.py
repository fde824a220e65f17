"""What can be wrong with a data set."""

from __future__ import annotations

import os
from pathlib import Path


class StoreError(Exception):
    """The data set cannot be read or written; the text says where, why and what to do."""


class SchemaError(StoreError):
    """The folder is no data set, or one of another schema."""


class DatasetWriteError(StoreError):
    """The folder is not writable, or the disk is full."""


def write_error(folder: Path, error: OSError) -> DatasetWriteError:
    """Says that the data set cannot be written, why, and how much room there is."""
    try:
        state = os.statvfs(next(path for path in (folder, *folder.parents) if path.exists()))
        room = f"; {state.f_bavail * state.f_frsize / 1e6:.0f} MB free there"
    except (OSError, StopIteration):
        room = ""
    return DatasetWriteError(
        f"cannot write the data set in {folder}: {error.strerror or error}{room}. "
        "Free some space, or name a folder that can be written"
    )
