"""The executables of this package."""

from __future__ import annotations

from gensim2_control.program import run_program


def pointcloud_fusion() -> int:
    """Run the node `pointcloud_fusion`; return its exit code."""
    # All callbacks share one pipeline and take turns: more threads would only fight for it.
    return run_program(
        "gensim2_perception.pointcloud_fusion_node", "PointcloudFusionNode", threads=1
    )
