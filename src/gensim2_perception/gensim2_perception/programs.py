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


def cloud_overlay() -> int:
    """Run the node `cloud_overlay`; return its exit code."""
    return run_program("gensim2_perception.cloud_overlay_node", "CloudOverlayNode", threads=1)


def calibrate() -> int:
    """Run the command line `calibrate`; return its exit code."""
    # What it needs takes a second to import, which the node above shall not wait for.
    from gensim2_perception.calibrate_cli import main

    return main()


def realsense_camera() -> int:
    """Run the node `realsense_camera`; return its exit code."""
    missing = missing_library()
    if missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    # The camera has a thread of its own; what is left are timers.
    return run_program("gensim2_perception.realsense_camera_node", "RealsenseCameraNode", threads=1)
