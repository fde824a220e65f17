"""Asset folders of any kind, and what must hold: an asset that can be used, or an `AssetError`."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from asset_samples import write_asset
from gensim2_tasks.assets import ArticulatedAsset, AssetLibrary, AssetRef
from gensim2_tasks.kinematic_tree import AssetError
from yaml_fuzz_inputs import VALUES

from gensim2_tasks import procedural

REF = AssetRef("partnet", "box_rotate", "1")
ODD = (
    *("nan", "inf", "-inf", "1e308", "-1", "0", "1e-320", "1e7", "", "x", "0 0 0", "1 2"),
    *("../lid.obj", "/etc/passwd", "lid.obj", "body.obj", "x" * 5000, ".", "fixed", "revolute"),
    *("prismatic", "continuous", "floating", "base", "body", "lid", "é", "&amp;", "\t"),
)  # fmt: skip
ELEMENTS = (
    *("<link/>", '<link name="lid"/>', '<link name="x"/>', "<mimic joint='a'/>", "<origin/>"),
    *('<inertial><mass value="0"/></inertial>', '<inertial><mass value="1"/></inertial>', "<a>"),
    *('<joint name="j" type="fixed"><parent link="lid"/><child link="base"/></joint>', "</link>"),
    *('<dynamics friction="-1"/>', "<limit/>", "<axis/>", "<geometry><box/></geometry>"),
    *("<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>", "&a;", "<![CDATA[x]]>", "<?x y?>"),
    *("<a>" * 50, "\0", "\x01", "<collision/>", "<!-- -->", "0 0 0 0"),
    '<visual><geometry><mesh filename=""/></geometry></visual>',
)  # fmt: skip


class Folders:
    """Changed folders of a small sample and of generated objects.

    Args:
        scratch: Where the folders are written.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._sources = [write_asset(scratch / "sample")]
        for seed, category in enumerate(procedural.categories()):
            procedural.generate(category, seed, scratch / category)
            self._sources.append(scratch / category)

    def run(self, seed: int) -> bool:
        """Writes one folder and loads it; True = it is an asset."""
        rng = np.random.default_rng(seed)
        root = self._scratch / "root"
        folder = root / "articulated_objs" / REF.category / REF.key
        source = self._sources[0 if rng.random() < 0.8 else int(rng.integers(1, 4))]
        shutil.copytree(source, folder, copy_function=os.link)
        try:
            for _ in range(int(rng.integers(1, 3))):
                change_folder(rng, folder)
            return load(AssetLibrary(root, self._scratch / "cache"), folder)
        finally:
            shutil.rmtree(root)


def load(library: AssetLibrary, folder: Path) -> bool:
    """Loads an asset and uses it as a scene does."""
    try:
        asset = library.load(REF)
    except AssetError as error:
        text = str(error)
        assert str(folder) in text or str(REF) in text, f"no file is named: {text}"
        assert len(text) < 1500, "a message is to be read"
        return False
    check_asset(asset)
    described = json.dumps(library.describe(REF), allow_nan=False)
    assert json.loads(described)["licence"]
    return True


def check_asset(asset: ArticulatedAsset) -> None:
    """Whatever uses the asset may rely on this."""
    low, high = asset.tree.moving.limits
    for openness in (0.0, 0.37, 1.0):
        q = asset.joint_position(openness)
        assert np.isfinite(q) and low <= q <= high and 0.0 <= asset.openness(q) <= 1.0
        assert np.isfinite(asset.T_root_part(q)).all() and np.isfinite(asset.bounds(q)).all()
        assert all(np.isfinite(p).all() for p in asset.keypoints(q).values())
    assert np.isfinite(asset.rest_height()) and asset.info.density > 0.0
    assert np.isfinite(asset.joint_friction) and asset.joint_friction >= 0.0
    point, direction = asset.tree.axis_in_root()
    assert np.isfinite(point).all() and abs(np.linalg.norm(direction) - 1.0) < 1e-6
    for shape in (*asset.tree.collisions, *asset.tree.visuals):
        assert shape.mesh.resolve().is_relative_to(asset.folder.resolve())


def _write(file: Path, data: bytes) -> None:
    file.unlink(missing_ok=True)  # it is linked to the one it was copied from
    file.write_bytes(data)


def change_folder(rng: np.random.Generator, folder: Path) -> None:
    """Changes one file of a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if not files:
        return
    kind = rng.random()
    urdf, info = folder / "mobility.urdf", folder / "info.json"
    if kind < 0.4 and urdf.is_file():
        text = urdf.read_bytes().decode("utf-8", "replace")
        _write(urdf, change_urdf(rng, text).encode("utf-8", "surrogateescape"))
    elif kind < 0.7 and info.is_file():
        _write(info, change_info(rng, info.read_bytes()))
    else:
        file = files[int(rng.integers(len(files)))]
        change_file(rng, file, folder)


def change_urdf(rng: np.random.Generator, text: str) -> str:
    """Changes attributes, elements or bytes of a URDF."""
    for _ in range(int(rng.integers(1, 4))):
        kind, at = int(rng.integers(5)), int(rng.integers(len(text) + 1))
        values = [*re.finditer(r'="([^"]*)"', text)]
        if kind <= 1 and values:
            value = values[int(rng.integers(len(values)))]
            text = text[: value.start(1)] + str(rng.choice(ODD)) + text[value.end(1) :]
        elif kind == 2:
            ends = [m.end() for m in re.finditer(">", text)] or [0]
            at = ends[int(rng.integers(len(ends)))]
            text = text[:at] + str(rng.choice(ELEMENTS)) + text[at:]
        elif kind == 3:
            whole = [*re.finditer(r"<(\w+)[^<>]*/>", text)]
            if whole:
                found = whole[int(rng.integers(len(whole)))]
                text = text[: found.start()] + text[found.end() :]
        elif rng.random() < 0.5:
            text = text[:at]
        else:
            text = text[:at] + str(rng.choice(ODD)) + text[at + int(rng.integers(9)) :]
    return text


def change_info(rng: np.random.Generator, data: bytes) -> bytes:
    """Changes an entry of a document, or its bytes."""
    try:
        document: Any = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document or rng.random() < 0.2:
        at = int(rng.integers(len(data) + 1))
        new = (b"", b"\xff", b"NaN", b"1e999", b"\\ud800", b"[" * 500, b"}")[int(rng.integers(7))]
        return data[:at] + new + data[at + int(rng.integers(10)) :]
    key = str(rng.choice([*document, "licence", "axis", "density", "scale", "keypoints", "x"]))
    value = VALUES[int(rng.integers(len(VALUES)))]
    points = document.get("keypoints")
    if key == "keypoints" and isinstance(points, dict) and points and rng.random() < 0.7:
        name = str(rng.choice(list(points)))
        points[name] = [float(rng.choice([0.1, 1e300, np.nan, -1e5])) for _ in range(3)]
    elif key == "joint_position_range" and rng.random() < 0.7:
        document[key] = [float(x) for x in rng.choice([-9, -1.4, 0, 0.4, 1e-9, 7, 1e9], 2)]
    elif rng.random() < 0.2:
        document.pop(key, None)
    else:
        document[key] = value
    return json.dumps(document).encode()


def change_file(rng: np.random.Generator, file: Path, folder: Path) -> None:
    """Removes, cuts, scrambles or replaces a file."""
    kind, data = int(rng.integers(8)), file.read_bytes()
    if kind == 0:
        file.unlink()
    elif kind == 1:
        _write(file, data[: int(rng.integers(len(data) + 1))])
    elif kind == 2:
        _write(file, rng.bytes(int(rng.integers(200))))
    elif kind == 3:
        file.unlink()
        file.symlink_to(str(rng.choice(["/etc/passwd", "../../x", file.name, str(folder)])))
    elif kind == 4:
        file.unlink()
        (os.mkfifo if rng.random() < 0.5 else os.mkdir)(file)
    elif kind == 5:
        odd = [b"nan", b"1e300", b"-1", b"99999999", b"0", b"f 1 2 3\n", b"v 0 0 0\n", b"/"]
        at = int(rng.integers(len(data) + 1))
        _write(file, data[:at] + odd[int(rng.integers(len(odd)))] + data[at + 3 :])
    elif kind == 6:
        lines = data.split(b"\n")
        rng.shuffle(lines)
        _write(file, b"\n".join(lines))
    else:
        _write(file.parent / "LICENSE", rng.bytes(40))
