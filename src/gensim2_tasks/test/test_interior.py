"""The room inside containers, and the top of what things are put on."""

from __future__ import annotations

import numpy as np
import pytest
from asset_samples import REAL
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef
from gensim2_tasks.interior import Interior, interior_of, why_no_interior
from gensim2_tasks.support import support_of
from scipy.spatial import ConvexHull

from gensim2_tasks import se3

CONTAINERS = ("box_rotate", "bucket_lift", "drawer", "microwave", "refrigerator", "safe_rotate")
REAL_CONTAINERS = (
    "box_rotate/100221", "bucket_lift/100443", "drawer/19179", "microwave/7119",
    "refrigerator/11178",
)  # fmt: skip


@pytest.fixture(scope="module")
def library() -> AssetLibrary:
    """Generated assets."""
    return AssetLibrary()


def real(name: str) -> ArticulatedAsset:
    """An imported asset; the test is skipped where there are none."""
    if not REAL.is_dir():
        pytest.skip(f"no imported assets at {REAL}")
    return AssetLibrary(REAL).load(AssetRef.parse(f"partnet:{name}"))


def corners(half_size: np.ndarray) -> np.ndarray:
    """Corners (8, 3) of a box."""
    return np.array(np.meshgrid(*[(-1.0, 1.0)] * 3)).reshape(3, -1).T * half_size


def planes(points: np.ndarray) -> np.ndarray:
    """Normals (N, 3) of the hull of points, which may be flat."""
    return np.asarray(ConvexHull(points, qhull_options="QJ").equations[:, :3])


def reaches_into(hull: np.ndarray, box: np.ndarray) -> bool:
    """Whether two sets of points have hulls that overlap, by the projections on many axes."""
    axes = np.concatenate([planes(points) for points in (hull, box)])
    rng = np.random.default_rng(0)
    axes = np.concatenate([axes, rng.normal(size=(200, 3))])
    a, b = hull @ axes.T, box @ axes.T
    return not np.any((a.max(axis=0) <= b.min(axis=0)) | (b.max(axis=0) <= a.min(axis=0)))


def check(asset: ArticulatedAsset) -> Interior:
    """An asset has a room, whose box is free, large enough for an apple, and within the object."""
    room = interior_of(asset)
    assert room is not None, why_no_interior(asset)
    q = asset.joint_position(1.0)
    poses = asset.tree.link_poses(q)
    T = room.T_root_box(asset, q)
    box = se3.apply(T, corners(room.half_size - 1e-4))
    own = room.link == asset.tree.moving.child
    for link, vertices in asset.hulls:
        if (link == asset.tree.moving.child) == own:
            assert not reaches_into(se3.apply(poses[link], vertices), box), link
    bounds = asset.bounds(q)
    assert np.all(box.min(axis=0) >= bounds[0]) and np.all(box.max(axis=0) <= bounds[1])
    assert np.all(room.half_size > 0.017)
    for point in corners(room.half_size - 0.004):
        assert room.depth(point) > 0.0
    return room


@pytest.mark.parametrize("category", CONTAINERS)
def test_generated_containers_have_a_free_box(library: AssetLibrary, category: str) -> None:
    for seed in range(2):
        room = check(library.load(AssetRef("procedural", category, str(seed))))
        up = category in ("box_rotate", "bucket_lift", "drawer")
        assert np.allclose(room.open_faces, [(0, 0, 1) if up else (-1, 0, 0)])
        assert room.lidded == (category != "bucket_lift")


@pytest.mark.parametrize("name", REAL_CONTAINERS)
def test_imported_containers_have_a_free_box(name: str) -> None:
    check(real(name))


def test_what_is_filled_by_its_hull_has_no_room() -> None:
    asset = real("safe_rotate/101613")
    assert interior_of(asset) is None
    assert "enclose no free space" in why_no_interior(asset)


def test_what_is_no_container_has_no_room(library: AssetLibrary) -> None:
    asset = library.load(AssetRef("procedural", "faucet", "0"))
    assert interior_of(asset) is None
    assert "inside_base" in why_no_interior(asset)


def test_the_room_of_a_drawer_moves_with_it(library: AssetLibrary) -> None:
    asset = library.load(AssetRef("procedural", "drawer", "0"))
    room = check(asset)
    shut, opened = (asset.joint_position(o) for o in (0.0, 1.0))
    way = room.T_root_box(asset, opened)[:3, 3] - room.T_root_box(asset, shut)[:3, 3]
    assert np.allclose(way, asset.tree.axis_in_root()[1] * (opened - shut))


def test_a_bucket_is_round_beyond_its_box(library: AssetLibrary) -> None:
    asset = library.load(AssetRef("procedural", "bucket_lift", "0"))
    room = check(asset)
    q = asset.joint_position(0.0)
    T_box_root = se3.inverse(room.T_root_box(asset, q))
    axis = asset.keypoints(q)["articulated_object_head"]  # the handle is over the middle
    z = room.T_root_box(asset, q)[2, 3]
    for angle in np.linspace(0.0, 2.0 * np.pi, 12):
        ray = np.array([np.cos(angle), np.sin(angle), 0.0])
        near = se3.apply(T_box_root, [axis[0], axis[1], z] + 0.045 * ray)
        far = se3.apply(T_box_root, [axis[0], axis[1], z] + 0.095 * ray)
        assert room.depth(near) > 0.0 > room.depth(far)


def test_a_laptop_supports_on_its_keyboard(library: AssetLibrary) -> None:
    for asset in (
        library.load(AssetRef("procedural", "laptop_rotate", "0")),
        real("laptop_rotate/11395"),
    ):
        top = support_of(asset)
        assert top is not None and top.link == asset.tree.root
        lowest = asset.bounds(asset.joint_position(1.0))[0, 2]
        assert lowest < top.T_link_top[2, 3] < lowest + 0.03
        assert np.all(top.half_size > 0.05)
        assert top.beside(np.zeros(3)) == 0.0
        assert top.beside(np.array([0.0, 0.3, 0.0])) > 0.1
