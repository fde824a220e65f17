"""Robot and objects are where kinematics and assets say, and show what their files hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gensim2_control.hardware import ARM_JOINTS
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_view.meshes import MeshError, glb
from gensim2_view.object_model import ObjectModel
from gensim2_view.robot_model import Pose, RobotModel, RobotModelError
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

URDF = Path(__file__).resolve().parents[3] / "launch" / "urdf" / "fr3.urdf"
TEXT = URDF.read_text()


def matrix(pose: Pose) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3] = Rotation.from_quat(pose[0], scalar_first=True).as_matrix()
    T[:3, 3] = pose[1]
    return T


@given(st.lists(st.floats(-2.5, 2.5), min_size=7, max_size=7))
def test_the_tree_of_frames_is_the_forward_kinematics(q: list[float]) -> None:
    model, kinematics = RobotModel(TEXT), Fr3Kinematics.from_urdf(TEXT)
    poses = model.rest() | model.moved(dict(zip(ARM_JOINTS, q, strict=True)))
    for link, path in model.links.items():
        T = np.eye(4)
        for name in path.split("/")[2:]:
            T = T @ matrix(poses[name])
        np.testing.assert_allclose(T, kinematics.fk(q, link), atol=1e-9)


def test_the_fingers_move_apart() -> None:
    model = RobotModel(TEXT)
    moved = model.moved({"fr3_finger_joint1": 0.03, "fr3_finger_joint2": 0.03})
    left, right = (matrix(moved[f"fr3_{side}finger"]) for side in ("left", "right"))
    np.testing.assert_allclose(left[:3, 3] - right[:3, 3], [0.0, 0.06, 0.0], atol=1e-9)


def test_joints_that_make_no_sense_move_nothing() -> None:
    assert RobotModel(TEXT).moved({"nose": 1.0, ARM_JOINTS[0]: float("nan")}) == {}


def test_every_mesh_of_the_robot_can_be_shown() -> None:
    text = TEXT.replace("package://gensim2", str(URDF.parents[1]))
    model = RobotModel(text)
    meshes = {visual.mesh for visuals in model.visuals.values() for visual in visuals}
    assert len(meshes) >= 10
    assert all(glb(mesh).startswith(b"glTF") for mesh in meshes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</robot>", ""),
        ('<parent link="base" />', '<parent link="nowhere" />'),
        ('<parent link="base" />', '<parent link="fr3_link7" />'),
        ('type="revolute"', 'type="floating"'),
        ('<axis xyz="0 0 1" />', '<axis xyz="0 0 0" />'),
        ('xyz="0 0 0.333"', 'xyz="0 0 high"'),
        ('<link name="base">', '<link name="ba/se">'),
    ],
)
def test_a_malformed_description_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(RobotModelError, match="robot_description"):
        RobotModel(TEXT.replace(old, new, 1))


def test_a_mesh_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"nothing\.obj"):
        glb(tmp_path / "nothing.obj")


def test_an_object_shows_all_its_meshes_and_its_part_moves(tmp_path: Path) -> None:
    model = ObjectModel.load(AssetLibrary(cache=tmp_path), "procedural:drawer/5")
    assert {part.link for part in model.parts} <= set(model.links)
    assert all(glb(part.mesh).startswith(b"glTF") for part in model.parts)
    closed, opened = model.link_poses(0.0), model.link_poses(0.1)
    travel = {link: np.linalg.norm((opened[link] - closed[link])[:3, 3]) for link in model.links}
    assert max(travel.values()) == pytest.approx(0.1)


@pytest.mark.parametrize("reference", ["", "nonsense", "procedural:nothing/1", "partnet:box/3"])
def test_an_asset_that_is_not_here_is_an_error(reference: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="asset"):
        ObjectModel.load(AssetLibrary(cache=tmp_path), reference)
