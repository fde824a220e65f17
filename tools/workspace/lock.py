"""One preparation at a time."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock file; a second caller says that it waits, and waits.

    The kernel frees the lock when its holder ends, however it ends, and programs started
    inside do not inherit it.

    Args:
        path: The lock file; made if missing, never removed (removing one would race).
        say: Receives the sentence about waiting.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            say(f"another ./ws (process {holder}) prepares the workspace; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
