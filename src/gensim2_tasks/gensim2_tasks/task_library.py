"""Tasks of one's own beside those shipped: a folder in which generated tasks are found by name.

    <library>/tasks/<Name>.yaml      the task
    <library>/solvers/<Name>*.yaml   solver configurations that only it uses

`gensim2_generation` writes it; every node that loads a task by its name reads it. The folder is
``$GENSIM2_LIBRARY``, or ``gensim2/library`` among the user's data.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

VARIABLE = "GENSIM2_LIBRARY"
TASKS, SOLVERS = "tasks", "solvers"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
MAX_BYTES = 100_000  # of a file; the largest shipped task has 2 kB


def library_folder() -> Path:
    """Folder of the library; it need not exist."""
    own = os.environ.get(VARIABLE)
    if own:
        return user_path(own)
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else user_path("~/.local/share")) / "gensim2" / "library"


def user_path(text: str | Path) -> Path:
    """A path that may begin with ``~``; the name of a user whom nobody knows stays as it is."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def library_names(kind: str = TASKS) -> list[str]:
    """Names of the tasks, or solver configurations, of the library, sorted; none without one.

    Links and names that no task has are left out: what anybody may put there must not lead out of
    the folder.
    """
    folder = library_folder() / kind
    try:
        if folder.is_symlink():
            return []
        return sorted(
            f.stem
            for f in folder.iterdir()
            if f.suffix == ".yaml" and _NAME.fullmatch(f.stem) and not f.is_symlink()
        )
    except OSError:
        return []


def library_file(name: str, kind: str = TASKS) -> Path:
    """Where the file of a name of `library_names` is."""
    return library_folder() / kind / f"{name}.yaml"
