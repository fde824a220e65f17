"""Rigid objects of GenSim2: what is made of their folders, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asset_samples import REAL, block
from gensim2_tasks.assets import ArticulatedAsset, AssetError, AssetLibrary, AssetRef
from gensim2_tasks.convex_pieces import COARSE, MAX_PIECES, convex_pieces, piece_of, thinned
from gensim2_tasks.procedural.household import GENERATORS
from gensim2_tasks.stable_pose import resting_rotation
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

DOWN = np.array([0.0, 0.0, -1.0])
SIZE = (0.04, 0.06, 0.1)


def shifted(text: str, by: int, group: str = "") -> str:
    """An OBJ text whose faces count from another vertex on."""
    lines = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["f"]:
            line = " ".join(["f", *(str(int(w.split("/")[0]) + by) for w in words[1:])])
        lines.append(line)
    return "\n".join([group, *lines]) + "\n"


def two_blocks(group: str = "") -> str:
    """A block of 4 x 6 x 4 cm and one of the same size on top of it."""
    low = block((-0.02, -0.03, -0.05), (0.02, 0.03, -0.01))
    high = block((-0.02, -0.03, -0.01), (0.02, 0.03, 0.05))
    return shifted(low, 0, group) + shifted(high, 8, group)


def write_rigid(root: Path, category: str = "wood_block", **info: Any) -> Path:
    folder = root / "rigidbody_objs" / "models" / category
    folder.mkdir(parents=True, exist_ok=True)
    document = {"scale": 0.5, "keypoints": {"rigidbody_object_head": [0, 0, 0.05]}} | info
    (folder / "info.json").write_text(json.dumps(document))
    (folder / "collision.obj").write_text(two_blocks())
    shown = "mtllib material_0.mtl\n" + block((-0.02, -0.03, -0.05), (0.02, 0.03, 0.05))
    (folder / "textured.obj").write_text(shown)
    (folder / "textured.mtl").write_text("newmtl material_0\nmap_Kd texture_map.png")
    (folder / "texture_map.png").write_bytes(b"png")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> AssetLibrary:
    write_rigid(tmp_path / "root")
    return AssetLibrary(tmp_path / "root", tmp_path / "cache")


def loaded(library: AssetLibrary, category: str = "wood_block") -> ArticulatedAsset:
    return AssetLibrary(library.root, library.cache).load(library.find(category, category))


def mass(asset: ArticulatedAsset) -> float:
    return asset.info.density * sum(ConvexHull(v).volume for _, v in asset.hulls)


def test_it_is_a_free_body_that_stands_in_the_middle_of_its_root(library: AssetLibrary) -> None:
    asset = loaded(library)
    assert str(asset.ref) == "partnet:wood_block/wood_block" and asset.info.free_body
    assert asset.joint_range == pytest.approx((0.0, 0.2))
    assert asset.tree.moving.limits == pytest.approx((0.0, 0.3))
    point, direction = asset.tree.axis_in_root()
    assert direction == pytest.approx([0.0, 0.0, 1.0]) and point == pytest.approx([0, 0, 0])
    half = 0.25 * np.array(SIZE)
    assert asset.bounds(0.0) == pytest.approx(np.stack([-half, half]))
    assert asset.keypoints(0.1)["articulated_object_head"] == pytest.approx([0, 0, 0.125])
    assert [len(v) for _, v in asset.hulls] == [8, 8]
    names = {shape.mesh.name for shape in asset.tree.visuals}
    assert names == {"textured.obj"}
    # The material that the mesh names, though the file is called otherwise.
    assert "texture_map.png" in (asset.folder / "material_0.mtl").read_text()
    assert (asset.folder / "texture_map.png").read_bytes() == b"png"


@pytest.mark.parametrize("group", ["", "o part", "g part"])
def test_bodies_are_told_apart_with_and_without_names(tmp_path: Path, group: str) -> None:
    file = tmp_path / "collision.obj"
    file.write_text(two_blocks(group))
    assert sorted(p.volume for p in convex_pieces(file)) == pytest.approx([9.6e-5, 14.4e-5])
    for piece in convex_pieces(file):
        corners = piece.vertices[piece.faces] - piece.vertices.mean(axis=0)
        assert np.all(np.linalg.det(corners) > 0.0), "a face looks inwards"


def test_it_weighs_what_its_info_says_or_as_much_as_a_generated_one(library: AssetLibrary) -> None:
    volume = float(np.prod(SIZE)) / 8
    generated = AssetLibrary(None, library.cache).load(AssetRef("procedural", "wood_block", "0"))
    assert mass(loaded(library)) == pytest.approx(volume * generated.info.density)
    assert library.root is not None
    write_rigid(library.root, mass=0.2)
    assert mass(loaded(library)) == pytest.approx(0.2)
    write_rigid(library.root, density=100.0)
    assert mass(loaded(library)) == pytest.approx(100.0 * volume)


def test_what_lies_otherwise_than_it_stands_is_turned(library: AssetLibrary) -> None:
    """A pen, given upright as scanners see it, lies down on a side."""
    assert library.root is not None
    folder = write_rigid(library.root, "marker")
    text = block((-0.004, -0.006, -0.06), (0.004, 0.006, 0.06))
    tip = "v 0 0 -0.07\nf 9 1 3\nf 9 3 7\nf 9 7 5\nf 9 5 1\n"
    (folder / "collision.obj").write_text(text + tip)
    asset = loaded(library, "marker")
    size = np.ptp(asset.bounds(0.0), axis=0)
    assert sorted(size) == pytest.approx([0.004, 0.006, 0.065], abs=1e-6)
    assert size[2] < 0.007
    assert asset.rest_height() == pytest.approx(0.5 * size[2] + 0.001)


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.floats(0.02, 0.1)] * 3),
    st.tuples(*[st.floats(-3.0, 3.0)] * 3),
)
def test_a_box_stands_on_one_of_its_sides_however_it_is_given(
    size: tuple[float, float, float], turn: tuple[float, float, float]
) -> None:
    corners = np.array([*np.ndindex(2, 2, 2)]) - 0.5
    R = Rotation.from_rotvec(turn).as_matrix()
    points = corners * size @ R.T
    found = resting_rotation(points, np.zeros(3))
    assert np.linalg.det(found) == pytest.approx(1.0)
    sides = found @ R  # where the axes of the box are
    assert np.abs(sides[2]).max() == pytest.approx(1.0, abs=1e-6)
    # Of the six sides the one that was lowest.
    side = found.T @ DOWN  # the normal that points down now
    assert side @ DOWN == pytest.approx(np.abs(R[2]).max(), abs=1e-6)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 999), st.floats(0.008, 0.015))
def test_thinned_pieces_keep_their_shape_and_their_base(seed: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(900, 3))
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    points[:, 2] = np.maximum(points[:, 2], -0.9 * radius)  # a flat base
    piece = piece_of(points)
    assert piece is not None
    thin = thinned(piece, DOWN)
    assert len(thin.vertices) < 0.5 * len(piece.vertices)
    planes = ConvexHull(thin.vertices).equations
    outside = (piece.vertices @ planes[:, :3].T + planes[:, 3]).max(axis=1)
    assert outside.max() < COARSE + 1e-9
    base = thin.vertices[thin.vertices[:, 2] < -0.9 * radius + 1e-9, :2]
    whole = piece.vertices[piece.vertices[:, 2] < -0.9 * radius + 1e-9, :2]
    assert ConvexHull(base).volume > 0.8 * ConvexHull(whole).volume


def test_a_changed_folder_is_converted_anew(library: AssetLibrary) -> None:
    before = loaded(library)
    assert loaded(library).folder == before.folder
    assert library.root is not None
    write_rigid(library.root, scale=1.0)
    after = loaded(library)
    assert np.ptp(after.bounds(0.0), axis=0) == pytest.approx(SIZE)
    assert np.ptp(before.bounds(0.0), axis=0) == pytest.approx(0.5 * np.array(SIZE))


def test_its_licence_is_looked_for_where_it_comes_from(library: AssetLibrary) -> None:
    assert not loaded(library).licence.known
    assert library.root is not None
    (library.root / "LICENSE").write_text("MIT License\n")
    assert loaded(library).licence.record()["licence_source"] == "LICENSE"
    folder = write_rigid(library.root, licence="CC-BY-4.0")
    licence = loaded(library).licence
    assert licence.identifier == "CC-BY-4.0"
    assert library.root / licence.source == folder / "info.json"


def test_household_things_that_a_root_lacks_are_generated(library: AssetLibrary) -> None:
    rng = np.random.default_rng(0)
    assert str(library.draw("wood_block", rng)) == "partnet:wood_block/wood_block"
    assert library.draw("gold", rng).source == "procedural"
    assert str(library.find("gold", "3")) == "procedural:gold/3"
    with pytest.raises(AssetError, match=r"no asset 'x' of .*'gold'; .*holds none; give a seed"):
        library.find("gold", "x")
    with pytest.raises(AssetError, match="nearest: wood_block"):
        library.find("wood_block", "3")
    with pytest.raises(AssetError, match="holds no asset of 'drawer'"):
        library.draw("drawer", rng)
    with pytest.raises(AssetError, match="partnet:gold/gold: no folder"):
        library.load(AssetRef("partnet", "gold", "gold"))
    # Without a mesh it is no object; with one it is, and what lacks is said.
    assert library.root is not None
    folder = write_rigid(library.root, "gold")
    (folder / "collision.obj").unlink()
    with pytest.raises(AssetError, match=r"gold/collision.obj: no such file; .*needs it"):
        library.load(library.draw("gold", rng))
    (folder / "textured.obj").unlink()
    assert library.draw("gold", rng).source == "procedural"


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def put(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


PLANE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nf 1 2 3\nf 2 4 3\n"
MANY = "".join(f"v {i} 0 0\nv {i} 1 0\nv {i} 0 1\nf -1 -2 -3\n" for i in range(MAX_PIECES + 1))


@pytest.mark.parametrize(
    ("harm", "file", "message"),
    [
        (remove("info.json"), "info.json", "no such file; a rigid object needs it"),
        (put("info.json", "{}"), "info.json", "keypoints: Field required; give"),
        (put("info.json", "[" * 9), "info.json", "is the file complete"),
        (remove("textured.obj"), "textured.obj", "no such file; a rigid object needs it"),
        (remove("textured.mtl"), "textured.obj", "'material_0.mtl' is missing in .*; add the file"),
        (remove("texture_map.png"), "textured.mtl", "'texture_map.png' is missing in .*; add"),
        (put("textured.mtl", "map_Kd ../x.png"), "textured.mtl", "outside of the folder.*copy it"),
        (put("textured.mtl", "map_Kd /etc/passwd"), "textured.mtl", "outside of the folder"),
        (put("textured.mtl", "map_Kd info.json"), "textured.mtl", "convert it to one of .png"),
        (put("collision.obj", ""), "collision.obj", "no faces; it must hold bodies"),
        (put("collision.obj", PLANE), "collision.obj", "must hold bodies with a volume"),
        (put("collision.obj", "v 0 0 0\nf 1 2 3"), "collision.obj", "line 2: .*corners that are"),
        (put("collision.obj", "v a 0 0"), "collision.obj", "line 1: .*whole Wavefront file"),
        (put("collision.obj", "v 0 0"), "collision.obj", "no faces|fewer than three numbers"),
        (put("collision.obj", "v 0 0 nan\nf 1 1 1"), "collision.obj", "finite and at most"),
        (put("collision.obj", MANY), "collision.obj", "201 bodies, more than 200; decompose"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    library: AssetLibrary, harm: Callable[[Path], object], file: str, message: str
) -> None:
    assert library.root is not None
    source = library.root / "rigidbody_objs" / "models" / "wood_block"
    harm(source)
    with pytest.raises(AssetError, match=message) as caught:
        loaded(library)
    assert str(source / file) in str(caught.value) and len(str(caught.value)) < 600
    left = [*library.cache.rglob("mobility.urdf")]
    assert not left, "half of an object was kept"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"mass": 0.0}, "mass: .*greater than 0; give kg"),
        ({"mass": 900.0}, "info.json: mass 900 kg in 30 cm.3 is more than 100000 kg/m.3; change"),
        ({"scale": 1e-3}, "info.json: the object would be .* m large; give another scale"),
        ({"scale": 100.0, "keypoints": {}}, "keypoints"),
    ],
)
def test_wrong_entries_are_named_in_the_file_that_can_be_mended(
    library: AssetLibrary, entries: dict[str, Any], message: str
) -> None:
    assert library.root is not None
    source = write_rigid(library.root, **entries)
    with pytest.raises(AssetError, match=message) as caught:
        loaded(library)
    assert str(source / "info.json") in str(caught.value)
    assert str(library.cache) not in str(caught.value)


def test_a_root_may_hold_rigid_objects_only(library: AssetLibrary, tmp_path: Path) -> None:
    assert library.root is not None and library.keys("wood_block") == ["wood_block"]
    shutil.rmtree(library.root / "rigidbody_objs")
    with pytest.raises(AssetError, match="rigidbody_objs/models/<category>/ for rigid objects"):
        AssetLibrary(library.root)


@pytest.mark.skipif(not (REAL / "rigidbody_objs").is_dir(), reason="no downloaded assets")
def test_all_downloaded_ones_load_and_keep_size_and_upper_side(tmp_path: Path) -> None:
    library = AssetLibrary(REAL, tmp_path)
    found = [category for category in sorted(GENERATORS) if library.keys(category)]
    assert len(found) >= 10
    for category in found:
        asset = library.load(library.find(category, category))
        file = REAL / "rigidbody_objs" / "models" / category / "textured.obj"
        lines = [x.split()[1:4] for x in file.read_text().splitlines() if x.startswith("v ")]
        shown = np.ptp(np.array(lines, dtype=float), axis=0) * asset.info.scale
        R = asset.tree.collisions[0].T_link_shape[:3, :3]
        assert R[2, 2] > 0.9, "it is upside down or on its side"
        assert np.ptp(asset.bounds(0.0), axis=0) == pytest.approx(shown, abs=0.006)
        assert asset.bounds(0.0).mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
        assert 0.015 < mass(asset) < 0.5
        assert sum(len(v) for _, v in asset.hulls) < 700
