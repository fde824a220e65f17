"""Files of a library, which may come from anybody: read with care, refused by name.

Links are not followed, and no file takes more memory than one of a library deserves.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gensim2_tasks.asset_files import AssetError, read_file
from gensim2_tasks.strict_yaml import YamlError, load_yaml
from gensim2_tasks.task_library import MAX_BYTES

MAX_RECORD = 2_000_000  # bytes
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,149}")
MEND = "remove or mend it"
GONE = "it was there a moment ago"


class LibraryError(ValueError):
    """A task is not in the library, or a file of it is broken; says which and how to mend it."""


def is_file(file: Path) -> bool:
    """Whether it is a file of the folder itself, and not one that a link leads to."""
    try:
        return stat.S_ISREG(file.lstat().st_mode) and not file.parent.is_symlink()
    except (OSError, ValueError):
        return False


def check_folder(folder: Path) -> None:
    """Refuses what stands where a folder of a library should be; one that is missing may be made.

    Raises:
        LibraryError: It is a link, or no folder.
    """
    if folder.is_symlink():
        raise LibraryError(f"{folder} is a link, which nothing is read or written through; {MEND}")
    if os.path.lexists(folder) and not folder.is_dir():
        raise LibraryError(f"{folder} is no folder; {MEND}")


def files(folder: Path, suffix: str) -> list[Path]:
    """Files of a folder that are named as files of a library are; see `check_folder` for others.

    Raises:
        OSError: The folder cannot be read.
    """
    return [folder / name for name, known in _entries(folder, suffix) if known]


def strangers(folder: Path, suffix: str) -> list[str]:
    """What else is there, links among it: names, as they can be shown.

    Raises:
        OSError: The folder cannot be read.
    """
    odd = [name for name, known in _entries(folder, suffix) if not known]
    return sorted("".join(c if c.isprintable() else "?" for c in name)[:100] for name in odd)


def read_document(file: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        LibraryError: It does not, or is no file of its own.
    """
    data = _read(file, GONE, MAX_BYTES)
    try:
        document = load_yaml(data.decode("utf-8"))
    except (YamlError, UnicodeDecodeError) as error:
        raise LibraryError(f"{file}: {error}; {MEND}") from None
    if not isinstance(document, dict):
        raise LibraryError(f"{file}: a mapping is expected; {MEND}")
    return document


def read_record(file: Path) -> Mapping[str, Any]:
    """A record.

    Raises:
        LibraryError: There is none, or it is broken.
    """
    return _parsed(file, record_bytes(file))


def record_bytes(file: Path) -> bytes:
    """A record as it stands in its file, for a copy that is no longer than it.

    Raises:
        LibraryError: See `read_record`.
    """
    data = _read(file, "it says where a task comes from", MAX_RECORD)
    _parsed(file, data)
    return data


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Only one process is in here at a time; the file is made, and its folder.

    Raises:
        OSError: It cannot be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(file, flags, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _parsed(file: Path, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LibraryError(f"{file}: {error}; {MEND}") from None
    if not isinstance(found, dict):
        raise LibraryError(f"{file}: no record; {MEND}")
    return found


def _read(file: Path, needed: str, limit: int) -> bytes:
    check_folder(file.parent)
    if file.is_symlink():
        raise LibraryError(f"{file}: a link; a library has files of its own only; {MEND}")
    try:
        return read_file(file, needed=needed, limit=limit)
    except AssetError as error:
        raise LibraryError(str(error)) from None


def _entries(folder: Path, suffix: str) -> list[tuple[str, bool]]:
    """Names, and whether each is that of a file of a library; hidden ones are left out."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            return [
                (
                    e.name,
                    e.name.endswith(suffix)
                    and FILE_NAME.fullmatch(e.name.removesuffix(suffix)) is not None
                    and e.is_file(follow_symlinks=False),
                )
                for e in entries
                if not e.name.startswith(".")
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
