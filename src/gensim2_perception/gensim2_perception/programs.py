"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def pointcloud_fusion() -> int:
    """Run the node `pointcloud_fusion`; return its exit code."""
    # All callbacks share one pipeline and take turns: more threads would only fight for it.
    return run_program(
        "gensim2_perception.pointcloud_fusion_node", "PointcloudFusionNode", threads=1
    )


def calibrate() -> int:
    """Run the command line `calibrate`; return its exit code."""
    # What it needs takes a second to import, which the node above shall not wait for.
    from gensim2_perception.calibrate_cli import main

    return main()
