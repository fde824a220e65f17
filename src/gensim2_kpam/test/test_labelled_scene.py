"""Labels give the pose of an object, or a reason why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim2_kpam.labelled_scene import LabelError, LabelledObject, LabelledScene, fit_pose
from gensim2_tasks.assets import AssetLibrary
from gensim2_tasks.catalogue import load_task
from gensim2_tasks.placement import draw_scene
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

WIDE = st.floats(-2.0, 2.0)


@given(
    x=WIDE,
    y=WIDE,
    z=WIDE,
    yaw=st.floats(-3.1, 3.1),
    noise=st.floats(0.0, 0.004),
    seed=st.integers(0, 99),
)
def test_the_pose_is_found_from_clicks(
    x: float, y: float, z: float, yaw: float, noise: float, seed: int
) -> None:
    """Clicks that are off by some mm put the object off by no more."""
    rng = np.random.default_rng(seed)
    root = {f"k{i}": p for i, p in enumerate(rng.uniform(-0.2, 0.2, (4, 3)))}
    root["far"] = np.array([0.2, 0.1, 0.0])
    root["away"] = np.array([-0.2, -0.1, 0.0])
    T = se3.transform(np.array([x, y, z]), Rotation.from_euler("z", yaw))
    clicked = {k: se3.apply(T, p) + rng.uniform(-noise, noise, 3) for k, p in root.items()}
    found = fit_pose(root, clicked)
    assert np.linalg.norm(found[:3, 3] - T[:3, 3]) <= 2 * noise + 1e-9
    turn = Rotation.from_matrix(found[:3, :3].T @ T[:3, :3]).magnitude()
    assert turn <= 8 * noise / 0.2 + 1e-6


def test_what_lies_on_its_back_is_found_lying() -> None:
    (placed,) = draw_scene(load_task("CloseSuitcaseLid"), AssetLibrary(), np.random.default_rng(2))
    points = placed.asset.keypoints(placed.joint_position)
    found = fit_pose(points, placed.keypoints(), placed.asset.R_rest)
    assert found == pytest.approx(placed.T_base_root, abs=1e-9)


def test_labels_that_say_too_little_or_the_wrong_are_refused() -> None:
    root = {"a": np.zeros(3), "b": np.array([0.2, 0.0, 0.0]), "up": np.array([0.0, 0.0, 0.3])}
    with pytest.raises(LabelError, match="two keypoints"):
        fit_pose(root, {"a": np.zeros(3), "unknown": np.ones(3)})
    with pytest.raises(LabelError, match="above each other"):
        fit_pose(root, {"a": np.zeros(3), "up": np.array([0.0, 0.0, 0.3])})
    with pytest.raises(LabelError, match="off by 50 mm"):
        fit_pose(root, {"a": np.zeros(3), "b": np.array([0.3, 0.0, 0.0])})


@pytest.mark.parametrize("name", ["OpenDrawer", "CloseSuitcaseLid"])
def test_a_scene_survives_its_file(tmp_path: Path, name: str) -> None:
    library = AssetLibrary()
    task = load_task(name)
    drawn = draw_scene(task, library, np.random.default_rng(3))
    file = tmp_path / "new" / "drawer.yaml"
    LabelledScene.of(task.name, drawn).save(file)
    read = LabelledScene.load(file)
    assert read.task == task.name
    (placed,) = (labelled.placed(library) for labelled in read.objects)
    np.testing.assert_allclose(placed.T_base_root, drawn[0].T_base_root, atol=1e-9)
    for name, p in drawn[0].keypoints().items():
        np.testing.assert_allclose(placed.keypoints()[name], p, atol=1e-9)
    assert [path.name for path in file.parent.iterdir()] == ["drawer.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Input should be"),
        ("version: 2\ntask: a\nobjects: []", "version"),
        ("task: OpenBox\nobjects: []", "objects"),
        ("task: OpenBox\nobjects: [{name: box}]", "objects.0.asset"),
        (
            "task: t\nobjects: [{name: b, asset: x, p_base: [.nan, 0, 0], yaw: 0}]",
            "objects.0.p_base.0",
        ),
        ("task: a\ntask: b\nobjects: []", "given twice"),
    ],
)
def test_a_file_that_is_no_scene_is_refused_with_the_place(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "scene.yaml"
    file.write_text(text)
    with pytest.raises(LabelError, match=message) as refused:
        LabelledScene.load(file)
    assert str(file) in str(refused.value)


def test_an_unknown_asset_is_named() -> None:
    labelled = LabelledObject(name="box", asset="procedural:chair/1", p_base=(0, 0, 0), yaw=0.0)
    with pytest.raises(LabelError, match=r"box.*chair"):
        labelled.placed(AssetLibrary())
