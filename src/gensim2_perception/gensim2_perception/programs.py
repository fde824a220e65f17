"""The executables of this package."""

from __future__ import annotations

import sys

from gensim2_control.program import run_program

from .realsense_library import missing_library


def pointcloud_fusion() -> int:
    """Run the node `pointcloud_fusion`; return its exit code."""
    # All callbacks share one pipeline and take turns: more threads would only fight for it.
    return run_program(
        "gensim2_perception.pointcloud_fusion_node", "PointcloudFusionNode", threads=1
    )


def realsense_camera() -> int:
    """Run the node `realsense_camera`; return its exit code."""
    missing = missing_library()
    if missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    # The camera has a thread of its own; what is left are timers.
    return run_program("gensim2_perception.realsense_camera_node", "RealsenseCameraNode", threads=1)
