"""Parameters of the node `web_view`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gensim2_control.ros.parameters import parameter
from numpy.typing import NDArray


@dataclass(frozen=True)
class ViewParameters:
    """Where the page is served, and what it shows."""

    host: str = parameter(
        "127.0.0.1",
        "Address to serve on. Whoever reaches it can move the robot; the default is this machine.",
    )
    port: int = parameter(8080, "Port to serve on.", low=1024, high=65535)
    asset_root: str = parameter("", "Folder of imported assets; empty = procedural ones.")
    controller: str = parameter("kpam_expert", "Node whose execute_task the button Run calls.")
    cameras: tuple[str, ...] = parameter(
        ("wrist_camera", "left_camera", "right_camera"), "Names of the cameras shown."
    )
    workspace_min: tuple[float, ...] = parameter(
        (0.15, -0.6, 0.0), "Lower corner of the workspace that is drawn, m in base.", low=-5, high=5
    )
    workspace_max: tuple[float, ...] = parameter(
        (1.1, 0.6, 0.9), "Upper corner of the workspace that is drawn, m in base.", low=-5, high=5
    )

    def check(self) -> None:
        """Refuses combinations that make no sense, with a ValueError."""
        if len(self.workspace_min) != 3 or len(self.workspace_max) != 3:
            raise ValueError("parameters workspace_min and workspace_max need three numbers each")
        if not self.controller:
            raise ValueError("parameter controller: the name of a node is needed")

    def workspace(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper corner, m in base."""
        return np.array(self.workspace_min), np.array(self.workspace_max)
