"""Files that live as long as the launch."""

from __future__ import annotations

import tempfile
from pathlib import Path

from launch import LaunchContext

_KEY = "launch_ros_temporary_folder"


def write_temporary_file(context: LaunchContext, text: str) -> Path:
    """Write a file that is removed when the launch has ended, and return its path.

    Not earlier: a process that is respawned reads it again.
    """
    folder = context.get_locals_as_dict().get(_KEY)
    if folder is None:
        folder = tempfile.TemporaryDirectory(prefix="launch_params_")
        context.extend_globals({_KEY: folder})
        context.at_end(lambda: _remove(context))
    path = Path(folder.name) / f"{len(list(Path(folder.name).iterdir())) + 1}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _remove(context: LaunchContext) -> None:
    context.get_locals_as_dict()[_KEY].cleanup()
    context.extend_globals({_KEY: None})
