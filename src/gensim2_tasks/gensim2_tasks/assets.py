"""Articulated assets in the PartNet-Mobility style of GenSim2, and the library that finds them.

An asset is a folder with ``mobility.urdf``, ``info.json`` and meshes. Procedural generators write
the same kind of folder, so everything downstream sees one format. Frames: *root* is the URDF root
link; *part* is the frame that moving keypoints and "object" axes refer to: the pose of the moving
link composed with the origin of its first collision shape (GenSim2's "handle frame").
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from . import procedural, rigid_folders, se3
from .asset_cache import keep
from .asset_files import short
from .asset_info import AssetInfo, load_info
from .asset_ref import ID, PARTNET, PROCEDURAL, AssetRef
from .categories import JOINT_ARMATURE, JOINT_FRICTION, RESTING
from .hulls import hull_vertices
from .kinematic_tree import AssetError, KinematicTree, load_tree, with_range
from .licences import Licence, find_licence
from .procedural.folder import VERSION as PROCEDURAL_VERSION
from .procedural.household import GENERATORS as HOUSEHOLD
from .se3 import Array
from .splits import ALL, Split, of_split, seed_range

__all__ = [
    *("PARTNET", "PROCEDURAL", "ArticulatedAsset", "AssetError", "AssetInfo", "AssetLibrary"),
    *("AssetRef", "load_asset"),
]

ARTICULATED = "articulated_objs"
REST_GAP = 0.001  # m, under a placed object, which hangs in the air and must not touch the table
SIZES = (1e-3, 50.0)  # m; what is not between them has a wrong scale
MIN_RANGE = 1e-6  # rad or m; a joint that moves less does not move


@dataclass(frozen=True, eq=False)
class ArticulatedAsset:
    """One object with one moving joint. All lengths are metres, already scaled."""

    ref: AssetRef
    folder: Path
    info: AssetInfo
    tree: KinematicTree
    document: dict[str, Any]  # info.json as it is
    licence: Licence

    @property
    def urdf(self) -> Path:
        """The URDF file (unscaled)."""
        return self.folder / "mobility.urdf"

    @property
    def joint_friction(self) -> float:
        """Friction of the moving joint, N m or N."""
        if self.info.joint_friction is not None:
            return self.info.joint_friction
        for prefix, value in JOINT_FRICTION.items():
            if self.ref.category.startswith(prefix):
                return value
        return 0.1

    @property
    def joint_armature(self) -> float | None:
        """Inertia added to the moving joint, kg m^2 or kg; None = the usual one."""
        return JOINT_ARMATURE.get(self.ref.category)

    @property
    def joint_range(self) -> tuple[float, float]:
        """Joint position when closed (openness 0) and when open (openness 1)."""
        return _joint_range(self.info, self.tree)

    def openness(self, q: float) -> float:
        """Openness in [0, 1] of a joint position."""
        closed, opened = self.joint_range
        return float(np.clip((q - closed) / (opened - closed), 0.0, 1.0))

    def joint_position(self, openness: float) -> float:
        """Joint position of an openness, kept within the limits of the joint."""
        closed, opened = self.joint_range
        return float(np.clip(closed + openness * (opened - closed), *self.tree.moving.limits))

    def T_root_part(self, q: float) -> Array:
        """Pose of the part frame in the root frame at joint position ``q``."""
        link = self.tree.moving.child
        first = next((s for s in self.tree.collisions if s.link == link), None)
        T = self.tree.link_poses(q)[link]
        return T if first is None else T @ first.T_link_shape

    def keypoints(self, q: float) -> dict[str, Array]:
        """Every keypoint (3,) in the root frame at joint position ``q``."""
        T = self.T_root_part(q)
        points = {}
        for name, xyz in self.info.keypoints.items():
            p = np.array(xyz) * self.info.scale
            points[name] = p if "base" in name else T[:3, :3] @ p + T[:3, 3]
        return points

    @functools.cached_property
    def hulls(self) -> tuple[tuple[str, Array], ...]:
        """(link, vertices (N, 3) in the link frame) of the convex hull of each collision shape."""
        result = []
        for shape in self.tree.collisions:
            vertices = hull_vertices(shape.mesh) * self.info.scale
            T = shape.T_link_shape
            result.append((shape.link, vertices @ T[:3, :3].T + T[:3, 3]))
        return tuple(result)

    def bounds(self, q: float) -> Array:
        """Axis-aligned bounds (2, 3) in the root frame at joint position ``q``."""
        return self._bounds(self.tree.link_poses(q))

    def _bounds(self, poses: Mapping[str, Array]) -> Array:
        points = np.concatenate(
            [v @ poses[link][:3, :3].T + poses[link][:3, 3] for link, v in self.hulls]
        )
        return np.stack([points.min(axis=0), points.max(axis=0)])

    @property
    def R_rest(self) -> Array:
        """Rotation (3, 3) of the root when the object rests on the table, its front towards -x."""
        return np.array(RESTING.get(self.ref.category, np.eye(3)))

    def resting(self, xyz: ArrayLike, yaw: float) -> Array:
        """Pose (4, 4) of the root at ``xyz`` (3,) m, resting and then turned about the vertical."""
        return se3.transform(xyz, Rotation.from_euler("z", yaw).as_matrix() @ self.R_rest)

    def yaw(self, T_base_root: Array) -> float:
        """How far (rad) an object that rests on the table is turned about the vertical."""
        return se3.yaw_of(se3.transform(rotation=T_base_root[:3, :3] @ self.R_rest.T))

    def rest_height(self) -> float:
        """Height of the root frame with the lowest point just above the table, at any openness."""
        q0, q1 = sorted(self.joint_position(o) for o in (0.0, 1.0))
        lowest = min(self._bounds(self._rest_poses(q))[0, 2] for q in (q0, q1))
        if self.tree.moving.kind != "prismatic":
            lowest = min(lowest, self._lowest_between(q0, q1))
        return float(REST_GAP - lowest)

    def _lowest_between(self, q0: float, q1: float) -> float:
        """Height of the lowest turning point of the hulls' vertices between two angles, or inf."""
        # The height of a vertex is a + b cos q + c sin q: three angles give it.
        z0, z1, z2 = (self._heights(q) for q in (0.0, np.pi / 2, np.pi))
        a, b = (z0 + z2) / 2, (z0 - z2) / 2
        c = z1 - a
        radius = np.hypot(b, c)
        after = np.mod(np.arctan2(c, b) + np.pi - q0, 2 * np.pi)
        turns = (radius > 1e-9) & (after < q1 - q0)
        return float((a - radius)[turns].min(initial=np.inf))

    def _rest_poses(self, q: float) -> dict[str, Array]:
        """Poses of the links with the root turned as it rests."""
        T = se3.transform(rotation=self.R_rest)
        return {link: T @ pose for link, pose in self.tree.link_poses(q).items()}

    def _heights(self, q: float) -> Array:
        poses = self._rest_poses(q)
        rows = [(v, poses[link][2]) for link, v in self.hulls]
        return np.concatenate([v @ row[:3] + row[3] for v, row in rows])


def load_asset(
    ref: AssetRef, folder: Path, root: Path | None = None, origin: Path | None = None
) -> ArticulatedAsset:
    """Reads an asset folder.

    Args:
        ref: What it is called.
        folder: The folder.
        root: Folder above which no licence is looked for; None = ``folder``.
        origin: The folder it was made of, which has the licence; None = ``folder``.

    Raises:
        AssetError: A file is missing or unusable; says which, why and how to mend it.
    """
    path = folder / "info.json"
    if not path.exists() and not (folder / "mobility.urdf").exists():
        raise AssetError(
            f"{path}: no such file; it must hold the keypoints of the asset. There is no "
            "mobility.urdf either: is this the folder of an object?"
        )
    info, document = load_info(folder, AssetInfo)
    tree = load_tree(folder / "mobility.urdf", info.scale)
    if info.joint_position_range is not None:
        tree = with_range(tree, info.scale, info.joint_position_range)
    closed, opened = _joint_range(info, tree)
    if not np.isfinite([closed, opened]).all() or abs(closed - opened) < MIN_RANGE:
        raise AssetError(f"{path}: the joint has no finite range; give joint_position_range")
    low, high = tree.moving.limits
    if high - low < MIN_RANGE:
        raise AssetError(
            f"{folder / 'mobility.urdf'}: joint {short(tree.moving.name)} cannot move between its "
            f"limits {low:g} and {high:g}; give other limits"
        )
    if min(closed, opened) >= high or max(closed, opened) <= low:
        raise AssetError(
            f"{path}: joint_position_range {closed:g}, {opened:g} is outside the limits "
            f"{low:g}, {high:g} of joint {short(tree.moving.name)}; change one of them"
        )
    licence = find_licence(info.licence, origin or folder, root or folder)
    asset = ArticulatedAsset(ref, folder, info, tree, document, licence)
    # A mesh that is damaged shows here, and not when it is needed.
    size = float(np.ptp(asset.bounds(asset.joint_position(0.5)), axis=0).max())
    if not SIZES[0] <= size <= SIZES[1]:
        raise AssetError(f"{path}: the object would be {size:.3g} m large; give another scale")
    return asset


def _joint_range(info: AssetInfo, tree: KinematicTree) -> tuple[float, float]:
    """Joint position when closed and when open."""
    low, high = tree.moving.limits
    closed, opened = info.joint_position_range or (low, high)
    # Some public ranges are a whole turn away from the limits of their joint.
    turn = 2 * np.pi if tree.moving.kind == "revolute" else 0.0
    for shift in (0.0, turn, -turn):
        if min(closed, opened) + shift < high and max(closed, opened) + shift > low:
            return closed + shift, opened + shift
    return closed, opened


class AssetLibrary:
    """Finds assets: procedural ones always, imported ones below ``root``.

    Args:
        root: Folder with ``articulated_objs/<category>/<id>/`` or, of rigid objects,
            ``rigidbody_objs/models/<category>/``, which may begin with ``~``; None or empty =
            procedural only.
        cache: Folder for generated and converted assets; None = a folder of the user's cache.
    """

    def __init__(self, root: Path | str | None = None, cache: Path | None = None) -> None:
        root = Path(root).expanduser() if root else None
        if root is not None and not any(
            (root / folder).is_dir() for folder in (ARTICULATED, rigid_folders.MODELS)
        ):
            raise AssetError(
                f"asset_root {str(root)!r}: no folder 'articulated_objs' in it; "
                "it must hold articulated_objs/<category>/<id>/mobility.urdf, or "
                "rigidbody_objs/models/<category>/ for rigid objects"
            )
        self.root = root
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.cache = cache or Path(base) / "gensim2" / f"procedural-{PROCEDURAL_VERSION}"
        self._loaded: dict[AssetRef, ArticulatedAsset] = {}

    def keys(self, category: str) -> list[str]:
        """Ids of the imported assets of a category, sorted; a rigid object is called like it."""
        if self.root is None:
            return []
        folder = self.root / ARTICULATED / category
        try:
            names = {p.name for p in folder.glob("*") if (p / "mobility.urdf").is_file()}
        except OSError as error:
            raise AssetError(f"{folder}: cannot be read: {error}") from None
        if rigid_folders.rigid_folder(self.root, category) is not None:
            names.add(category)
        return sorted(name for name in names if ID.fullmatch(name))

    def draw(self, category: str, rng: np.random.Generator, split: Split = ALL) -> AssetRef:
        """Draws an asset of a category: an imported one where a root is set, else a new geometry.

        A root of furniture need not hold fruit: household things that it lacks are generated.

        Raises:
            AssetError: There is none in this split.
        """
        if self._generates(category, split):
            return AssetRef(PROCEDURAL, category, str(int(rng.integers(*seed_range(split)))))
        if self.root is None:
            raise AssetError(f"category {category!r} has no procedural generator; set asset_root")
        keys = of_split(category, self.keys(category), split)
        if not keys:
            wanted = "" if split == ALL else f" for {split}, which takes two or more"
            raise AssetError(
                f"asset_root {str(self.root)!r} holds no asset of {category!r}{wanted}"
            )
        return AssetRef(PARTNET, category, keys[int(rng.integers(len(keys)))])

    def _generates(self, category: str, split: Split = ALL) -> bool:
        """Whether assets of a category are generated where none is named."""
        if self.root is None:
            return category in procedural.categories()
        return category in HOUSEHOLD and not of_split(category, self.keys(category), split)

    def find(self, category: str, text: str) -> AssetRef:
        """Turns what a user typed (reference, id or seed) into a reference of this category.

        Raises:
            AssetError: Unknown; the nearest known ids are named.
        """
        if ":" in text:
            ref = AssetRef.parse(text)
            if ref.category != category:
                raise AssetError(f"asset {short(text)} is no {category!r}, which this task needs")
            return ref
        if text in self.keys(category):
            return AssetRef(PARTNET, category, text)
        if text.isdigit() and self._generates(category):
            return AssetRef(PROCEDURAL, category, text)
        raise AssetError(
            f"no asset {short(text)} of category {category!r}{self._hint(category, text)}"
        )

    def _hint(self, category: str, text: str) -> str:
        """What to give instead of an unknown id."""
        if self._generates(category):
            lacks = f"asset_root {str(self.root)!r} holds none; " if self.root else ""
            return f"; {lacks}give a seed (a number)"
        near = difflib.get_close_matches(text[:100], self.keys(category), 3, 0.0)
        if near:
            return f"; nearest: {', '.join(near)}"
        return f"; asset_root {str(self.root)!r} holds none" if self.root else "; set asset_root"

    def load(self, ref: AssetRef) -> ArticulatedAsset:
        """Loads an asset; generates or converts it first where need be. Loaded ones are kept.

        Raises:
            AssetError: Unknown or unusable.
        """
        if ref not in self._loaded:
            self._loaded[ref] = self._load(ref)
        return self._loaded[ref]

    def _load(self, ref: AssetRef) -> ArticulatedAsset:
        if ref.source == PROCEDURAL:
            folder = self._generated(ref)
            try:
                return load_asset(ref, folder)
            except AssetError as error:
                raise AssetError(f"{error}; delete {folder}: it is generated again") from None
        if self.root is None:
            raise AssetError(f"asset {ref}: needs asset_root, the folder of imported assets")
        folder = self.root / ARTICULATED / ref.category / ref.key
        if folder.is_dir():
            return load_asset(ref, folder, self.root)
        rigid = rigid_folders.rigid_folder(self.root, ref.category)
        if rigid is not None and ref.key == ref.category:
            return self._load_rigid(ref, rigid)
        raise AssetError(f"asset {ref}: no folder {folder}{self._hint(ref.category, ref.key)}")

    def _load_rigid(self, ref: AssetRef, source: Path) -> ArticulatedAsset:
        name = f"{ref.category}-{rigid_folders.fingerprint(source)}"
        folder = self.cache / "rigid" / name
        try:
            keep(folder, lambda made: rigid_folders.convert(source, made, ref.category))
            return load_asset(ref, folder, self.root, source)
        except AssetError as error:
            # The copy in the cache is not what can be mended.
            raise AssetError(str(error).replace(str(folder), str(source))) from None
        except OSError as error:
            raise AssetError(_unwritable(ref, folder, error)) from None

    def _generated(self, ref: AssetRef) -> Path:
        if ref.category not in procedural.categories() or not ref.key.isdigit():
            raise AssetError(
                f"asset {ref}: no such generator; categories: {', '.join(procedural.categories())};"
                " the key is a seed (a number)"
            )
        folder = self.cache / ref.category / ref.key
        try:
            return keep(folder, lambda made: procedural.generate(ref.category, int(ref.key), made))
        except OSError as error:
            raise AssetError(_unwritable(ref, folder, error)) from None

    def describe(self, ref: AssetRef) -> dict[str, object]:
        """What a manifest records of an asset."""
        asset = self.load(ref)
        return {"ref": str(ref), **asset.licence.record(), "info": asset.document}


def _unwritable(ref: AssetRef, folder: Path, error: OSError) -> str:
    return (
        f"asset {ref}: cannot be generated in {folder}: {error}; "
        "set XDG_CACHE_HOME to a folder that can be written"
    )
