"""Whether librealsense is installed; asked before anything that imports it."""

from __future__ import annotations

from importlib.util import find_spec

MODULE = "pyrealsense2"


def missing_library() -> str:
    """Say in one line how to install librealsense; empty where it is there."""
    if find_spec(MODULE) is not None:
        return ""
    return (
        f"realsense_camera needs the Python module {MODULE}: start with ./ws --with real, or "
        f"install it with: pip install {MODULE}"
    )
