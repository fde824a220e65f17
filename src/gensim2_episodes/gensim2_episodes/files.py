"""Files that appear completely or not at all, and folders that show whether their writer lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def sync_tree(folder: Path) -> None:
    """Brings every file and folder below `folder`, and itself, to the disk."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(Path(parent) / name)
        _sync(Path(parent))


def sync_folder(folder: Path) -> None:
    """Brings the entries of a folder to the disk, so that a rename in it survives a power cut."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_exclusively(path: Path, text: str, token: str) -> bool:
    """Creates a file with its full content, unless it exists.

    Several processes may try at once: one wins, and nobody ever reads half a file.

    Args:
        path: The file.
        text: Its content.
        token: Makes the name of the temporary file unique among the processes.

    Returns:
        Whether this call created it.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{token}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return False
        sync_folder(path.parent)
        return True
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


class FolderLock:
    """Marks a folder as being written for as long as this process lives.

    The kernel drops the mark when the process ends, however it ends, which is what tells a
    crashed writer from a busy one. It belongs to the folder itself: there is no lock file, and
    renaming the folder keeps it.
    """

    def __init__(self, folder: Path) -> None:
        """Takes the mark, waiting for whoever is just looking at it.

        Raises:
            OSError: The folder cannot be opened, or its file system has no locks.
        """
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError:
            self.release()
            raise

    @classmethod
    def on_new(cls, folder: Path) -> FolderLock:
        """Makes the folder, which nobody ever sees without its mark.

        A crash in between leaves an empty folder of another hidden name.

        Raises:
            OSError: It cannot be made or marked; nothing is left behind.
        """
        unmarked = folder.with_name(f".new{folder.name}")
        unmarked.mkdir()
        lock: FolderLock | None = None
        try:
            lock = cls(unmarked)
            unmarked.rename(folder)
        except OSError:
            if lock is not None:
                lock.release()
            with contextlib.suppress(OSError):
                unmarked.rmdir()
            raise
        return lock

    def release(self) -> None:
        """Drops the mark; later calls do nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_locked(folder: Path) -> bool:
    """Whether a living process has a `FolderLock` on the folder.

    Raises:
        FileNotFoundError: The folder has gone.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    # Its writer may have finished, renamed and released it since it was opened here.
    folder.stat()
    return False
