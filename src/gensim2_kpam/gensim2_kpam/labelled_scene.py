"""A scene that somebody has labelled: which object stands where, by its keypoints.

On the real robot nobody knows the truth. A person clicks on the keypoints of the object in the
cloud; its pose follows from them, because the object of the catalogue says where they are on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from gensim2_control.atomic_file import write_atomically
from gensim2_tasks.assets import AssetError, AssetLibrary, AssetRef
from gensim2_tasks.placement import PlacedObject
from gensim2_tasks.se3 import Array
from gensim2_tasks.strict_yaml import YamlError, load_yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

LARGEST_RESIDUAL = 0.03
"""Distance of a clicked point from where it would be on the object that ends the trust in it, m."""
_SHORTEST_ARM = 0.02
UPRIGHT: Array = np.eye(3)

Number = Annotated[float, Field(allow_inf_nan=False, ge=-100.0, le=100.0)]
Point = tuple[Number, Number, Number]


class LabelError(ValueError):
    """A labelled scene cannot be read, or labels do not fit an object."""


class LabelledObject(BaseModel):
    """An object of a labelled scene.

    Attributes:
        name: of the object in the task.
        asset: reference of the asset, as `procedural:drawer/17` or `partnet:drawer/44781`.
        p_base: where its root is, m.
        yaw: about the vertical, rad.
        joint_position: of its moving joint, rad or m.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    asset: Annotated[str, Field(min_length=1, max_length=200)]
    p_base: Point
    yaw: Number
    joint_position: Number = 0.0

    def placed(self, library: AssetLibrary) -> PlacedObject:
        """Return the object with its geometry.

        Raises:
            LabelError: there is no such asset.
        """
        try:
            asset = library.load(AssetRef.parse(self.asset))
        except AssetError as error:
            raise LabelError(f"object '{self.name}': {error}") from None
        T = asset.resting(np.array(self.p_base), self.yaw)
        return PlacedObject(self.name, asset, T, self.joint_position)


class LabelledScene(BaseModel):
    """A scene as it is stored.

    Attributes:
        version: of the format.
        task: name of the task it was labelled for.
        objects: what stands in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    task: Annotated[str, Field(min_length=1, max_length=100)]
    objects: Annotated[tuple[LabelledObject, ...], Field(min_length=1, max_length=100)]

    @classmethod
    def load(cls, path: Path) -> LabelledScene:
        """Read a scene.

        Raises:
            LabelError: there is none, or it is not one; says where.
        """
        try:
            return cls.model_validate(load_yaml(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, YamlError) as error:
            raise LabelError(f"scene {path}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise LabelError(f"scene {path}: {where}: {first['msg']}") from None

    def save(self, path: Path) -> None:
        """Write the scene, as a whole or not at all.

        Raises:
            LabelError: the file cannot be written.
        """
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode())
        except OSError as error:
            raise LabelError(f"scene {path} cannot be written: {error}") from None

    @classmethod
    def of(cls, task: str, objects: tuple[PlacedObject, ...]) -> LabelledScene:
        """Return the scene of placed objects."""
        return cls(
            task=task,
            objects=tuple(
                LabelledObject(
                    name=placed.name,
                    asset=str(placed.asset.ref),
                    p_base=_point(placed.T_base_root[:3, 3]),
                    yaw=placed.asset.yaw(placed.T_base_root),
                    joint_position=placed.joint_position,
                )
                for placed in objects
            ),
        )


def _point(p: Array) -> Point:
    x, y, z = (float(number) for number in p)
    return x, y, z


def fit_pose(
    points_root: Mapping[str, Array], points_base: Mapping[str, Array], R_rest: Array = UPRIGHT
) -> Array:
    """Find where an object stands or lies from the keypoints that were clicked on.

    Args:
        points_root: keypoints (3,) in the root frame of the object, m.
        points_base: those that were clicked on (3,) in base, m.
        R_rest: rotation (3, 3) of the root when the object rests on the table.

    Returns:
        T_base_root (4, 4), turned about the vertical only from how it rests; the least sum of
        squared distances.

    Raises:
        LabelError: too few points, they lie above each other, or they do not fit the object.
    """
    names = [name for name in points_base if name in points_root]
    if len(names) < 2:
        raise LabelError("two keypoints of the object are needed, to know how it is turned")
    root = np.array([points_root[name] for name in names]) @ R_rest.T
    base = np.array([points_base[name] for name in names])
    a, b = root - root.mean(axis=0), base - base.mean(axis=0)
    if np.linalg.norm(a[:, :2], axis=1).max() < _SHORTEST_ARM:
        raise LabelError("the keypoints lie above each other: how the object is turned is unknown")
    # About one axis the best turn has a closed form.
    sine = np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    yaw = float(np.arctan2(sine, np.sum(a[:, :2] * b[:, :2])))
    turn = Rotation.from_euler("z", yaw)
    T = se3.transform(base.mean(axis=0) - turn.apply(root.mean(axis=0)), turn)
    off = np.linalg.norm(turn.apply(root) + T[:3, 3] - base, axis=1)
    worst = int(np.argmax(off))
    if off[worst] > LARGEST_RESIDUAL:
        raise LabelError(
            f"the clicked points do not fit the object: {names[worst]} is off by "
            f"{off[worst] * 1e3:.0f} mm, allowed are {LARGEST_RESIDUAL * 1e3:.0f}. Is it another "
            "object, or one that is open?"
        )
    return T @ se3.transform(rotation=R_rest)
