"""An object of the scene with its true geometry, from the asset it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gensim2_tasks.assets import ArticulatedAsset, AssetError, AssetLibrary, AssetRef
from numpy.typing import NDArray

from gensim2_tasks import se3

Array = NDArray[np.float64]


def wxyz_of(T: Array) -> Array:
    """Return the rotation of a (4, 4) matrix as a quaternion w x y z."""
    return np.roll(se3.quat_xyzw(T), 1)


@dataclass(frozen=True)
class Part:
    """A mesh of an object: on which link, where in it."""

    link: str
    mesh: Path
    T_link_shape: Array


class ObjectModel:
    """The meshes of one asset and where its links are.

    Attributes:
        parts: what is drawn.
        scale: of the mesh files.
    """

    def __init__(self, asset: ArticulatedAsset) -> None:
        self._asset = asset
        shapes = asset.tree.visuals or asset.tree.collisions
        self.parts = tuple(Part(s.link, s.mesh, s.T_link_shape) for s in shapes)
        self.scale = asset.info.scale

    @classmethod
    def load(cls, library: AssetLibrary, reference: str) -> ObjectModel:
        """Find an asset by the reference a scene gives.

        Raises:
            AssetError: unknown or unusable here; says why.
        """
        return cls(library.load(AssetRef.parse(reference)))

    @property
    def links(self) -> tuple[str, ...]:
        """Names of the links."""
        return self._asset.tree.links

    def link_poses(self, joint_position: float) -> dict[str, Array]:
        """T_root_link (4, 4) of every link, for a joint position in rad or m."""
        return self._asset.tree.link_poses(joint_position)


__all__ = ["AssetError", "ObjectModel", "Part", "wxyz_of"]
