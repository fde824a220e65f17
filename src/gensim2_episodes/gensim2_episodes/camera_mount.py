"""Where cameras are mounted, from static transforms."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensim2_tasks import se3


class StaticTree:
    """Frames and their static parents, as heard."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, NDArray[np.float64]]] = {}

    def add(self, parent: str, child: str, p: ArrayLike, q_xyzw: ArrayLike) -> None:
        """Notes the pose of a child frame in its parent: position [m] and quaternion xyzw."""
        self._parents[child] = (parent, se3.from_xyz_quat(p, q_xyzw))

    def mount(
        self, frame: str, links: Collection[str]
    ) -> tuple[str, NDArray[np.float64]] | tuple[str, None]:
        """Finds the link that a frame is fixed to.

        Args:
            frame: For example the optical frame of a camera.
            links: Links of the robot, `base` among them.

        Returns:
            The link and T_link_frame; "" and None where no chain of transforms leads to a link.
        """
        T = np.eye(4)
        seen = {frame}
        while frame in self._parents:
            frame, T_parent_child = self._parents[frame]
            T = T_parent_child @ T
            if frame in links:
                return frame, T
            if frame in seen:
                break
            seen.add(frame)
        return "", None
