"""Scenes in files: what is saved is loaded, and what is damaged is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gensim2_perception.frames import PinholeIntrinsics
from gensim2_perception.recorded_scene import (
    RecordedSceneError,
    RecordedView,
    load_view,
    save_view,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation


def view(seed: int = 0, count: int = 2, width: int = 8, height: int = 6) -> RecordedView:
    rng = np.random.default_rng(seed)
    T = np.eye(4)
    T[:3, :3] = Rotation.random(rng=rng).as_matrix()
    T[:3, 3] = rng.normal(size=3)
    return RecordedView(
        rng.integers(0, 256, (count, height, width, 3), np.uint8),
        rng.integers(0, 65536, (count, height, width), np.uint16),
        PinholeIntrinsics(width, height, *rng.uniform(1.0, 1000.0, 4)),
        T,
    )


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_a_view_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int, width: int, height: int
) -> None:
    folder = tmp_path_factory.mktemp("scene")
    saved = view(seed, count, width, height)
    path = save_view(saved, folder, "left_camera")
    for place in (folder, path):
        loaded = load_view(place, "left_camera")
        np.testing.assert_array_equal(loaded.rgb, saved.rgb)
        np.testing.assert_array_equal(loaded.depth_mm, saved.depth_mm)
        np.testing.assert_array_equal(loaded.T_base_optical, saved.T_base_optical)
        assert loaded.intrinsics == saved.intrinsics
    assert [p.name for p in folder.iterdir()] == ["left_camera.npz"]


def test_a_missing_camera_is_answered_with_those_there_are(tmp_path: Path) -> None:
    save_view(view(), tmp_path, "left_camera")
    save_view(view(), tmp_path, "right_camera")
    with pytest.raises(
        RecordedSceneError, match=r"no wrist_camera\.npz; cameras there: left_camera, right_camera"
    ):
        load_view(tmp_path, "wrist_camera")
    with pytest.raises(RecordedSceneError, match="no such folder or file"):
        load_view(tmp_path / "nowhere", "wrist_camera")


def entries() -> dict[str, np.ndarray]:
    good = view()
    K = good.intrinsics
    return {
        "format": np.int64(1),
        "rgb": good.rgb,
        "depth_mm": good.depth_mm,
        "intrinsics": np.array([K.fx, K.fy, K.cx, K.cy]),
        "T_base_optical": good.T_base_optical,
    }


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("format", np.int64(2), "format 2"),
        ("rgb", np.zeros((6, 8, 3), np.uint8), "rgb must be"),
        ("rgb", np.zeros((2, 6, 8, 3)), "uint8"),
        ("rgb", np.zeros((0, 6, 8, 3), np.uint8), "at least 1"),
        ("depth_mm", np.zeros((2, 6, 8), np.float32), "uint16"),
        ("depth_mm", np.zeros((1, 6, 8), np.uint16), "depth_mm"),
        ("intrinsics", np.zeros(4), "fx and fy must be positive"),
        ("intrinsics", np.zeros((3, 3)), "four numbers"),
        ("T_base_optical", np.diag([1.0, 1.0, 2.0, 1.0]), "not a rigid transform"),
        ("T_base_optical", np.diag([1.0, 1.0, -1.0, 1.0]), "not a rigid transform"),
        ("T_base_optical", np.full((4, 4), np.nan), "finite"),
        ("rgb", np.array([{"a": 1}], object), "allow_pickle"),
        ("depth_mm", None, "missing: depth_mm"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, key: str, value: np.ndarray | None, text: str
) -> None:
    stored = entries()
    if value is None:
        del stored[key]
    else:
        stored[key] = value
    path = tmp_path / "left_camera.npz"
    np.savez(path, **stored)
    with pytest.raises(RecordedSceneError, match=text) as caught:
        load_view(tmp_path, "left_camera")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"no array", b"\x93NUMPY"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "left_camera.npz"
    path.write_bytes(content)
    with pytest.raises(RecordedSceneError, match="left_camera"):
        load_view(path, "left_camera")


def test_a_half_file_is_refused(tmp_path: Path) -> None:
    path = save_view(view(width=64, height=48), tmp_path, "left_camera")
    content = path.read_bytes()
    for share in (0.2, 0.5, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(RecordedSceneError):
            load_view(path, "left_camera")
    # A bit that has turned is noticed by the checksum of the archive.
    turned = bytearray(content)
    turned[len(turned) // 3] ^= 0x10
    path.write_bytes(bytes(turned))
    with pytest.raises(RecordedSceneError):
        load_view(path, "left_camera")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = view(1)
    save_view(old, tmp_path, "left_camera")

    def fail(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(OSError, match="no space"):
        save_view(replace(old, depth_mm=old.depth_mm * 0), tmp_path, "left_camera")
    np.testing.assert_array_equal(load_view(tmp_path, "left_camera").depth_mm, old.depth_mm)
