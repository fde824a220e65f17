"""Pictures: depth and colour must lie where the calibration says, for every camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sapien
from gensim2_control.camera_calibration import (
    CalibrationError,
    CameraCalibration,
    CameraCalibrations,
)
from gensim2_control.hardware import HOME_Q, Array
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_sim_bridge.cameras import CameraConfig, CameraFrame, CameraRig
from gensim2_sim_bridge.scenery import TABLE_CENTRE_X, TABLE_HALF_SIZE
from gensim2_sim_bridge.world import World, WorldConfig
from gensim2_tasks.placement import PlacedObject
from scipy.spatial.transform import Rotation

from gensim2_tasks import se3

Draw = Callable[..., tuple[PlacedObject, ...]]
CAMERAS = ("wrist_camera", "left_camera", "right_camera")
WIDTH, HEIGHT = 320, 240
OTHER_Q = np.array(HOME_Q) + np.array([0.3, 0.1, -0.2, 0.15, 0.1, 0.1, 0.4])
# The cheap shader cuts millimetres off instead of rounding them.
TRUNCATION = {"minimal": 0.5, "default": 0.0}


class Studio:
    """A world with cameras, and where they are by kinematics that are not the simulator's."""

    def __init__(
        self, urdf: str, calibrations: CameraCalibrations, kinematics: Fr3Kinematics, shader: str
    ) -> None:
        self.rig = CameraRig(calibrations, CameraConfig(WIDTH, HEIGHT, shader=shader))
        self.world = World(urdf, WorldConfig(render=True))
        self.bias = TRUNCATION[shader]
        self._kinematics = kinematics
        v, u = np.mgrid[:HEIGHT, :WIDTH].astype(float)
        pixels = np.stack([u, v, np.ones_like(u)], axis=-1)
        self.rays = pixels @ np.linalg.inv(self.rig.intrinsics).T

    def pose(self, q: Array) -> None:
        """Put the arm somewhere and hold it there."""
        self.world.robot.set_qpos(np.array([*q, 0.04, 0.04], dtype=np.float32))
        for joint, value in zip(self.world.robot.active_joints, q, strict=False):
            joint.set_drive_target(float(value))
        self.world.robot.set_qvel(np.zeros(9, dtype=np.float32))
        self.world.step()

    def T_base_cam(self, camera: str) -> Array:
        calibration = self.rig.calibrations.cameras[camera]
        if calibration.parent == "base":
            return calibration.matrix
        q = self.world.robot_state()[0][:7]
        return self._kinematics.fk(q, calibration.parent) @ calibration.matrix

    def frames(self) -> dict[str, CameraFrame]:
        return {frame.camera: frame for frame in self.rig.capture(self.world)}

    def depth(self, camera: str) -> Array:
        """In mm, without the bias of truncation."""
        return self.frames()[camera].depth_mm.astype(float) + self.bias

    def cloud(self, camera: str) -> Array:
        """Points (N, 3) in base."""
        depth = self.frames()[camera].depth_mm
        seen = depth > 0
        return se3.apply(self.T_base_cam(camera), self.rays[seen] * depth[seen][:, None] / 1000.0)

    def plane_depth(self, T_cam_plane: Array) -> tuple[Array, Array]:
        """Depth (H, W) in mm of the plane z = 0 of a frame, and where rays meet it (H, W, 3)."""
        normal, origin = T_cam_plane[:3, 2], T_cam_plane[:3, 3]
        with np.errstate(divide="ignore"):
            z = (normal @ origin) / (self.rays @ normal)
        on_plane = se3.apply(se3.inverse(T_cam_plane), (self.rays * z[..., None]).reshape(-1, 3))
        return z * 1000.0, on_plane.reshape(*z.shape, 3)


@pytest.fixture(scope="module", params=["minimal", "default"])
def studio(
    request: pytest.FixtureRequest,
    urdf: str,
    calibrations: CameraCalibrations,
    kinematics: Fr3Kinematics,
) -> Studio:
    return Studio(urdf, calibrations, kinematics, request.param)


@pytest.fixture
def empty(studio: Studio) -> Iterator[Studio]:
    studio.world.reset(())
    yield studio


@pytest.mark.parametrize("q", [np.array(HOME_Q), OTHER_Q], ids=["home", "moved"])
@pytest.mark.parametrize("camera", CAMERAS)
def test_depth_of_the_table_is_true(empty: Studio, camera: str, q: Array) -> None:
    empty.pose(q)
    expected, points = empty.plane_depth(se3.inverse(empty.T_base_cam(camera)))
    inside = (expected > 0) & (
        np.abs(points[..., :2] - [TABLE_CENTRE_X, 0.0]) < np.array(TABLE_HALF_SIZE[:2]) - 0.02
    ).all(axis=-1)
    error = empty.depth(camera) - expected
    # The robot stands in front of a part of the table.
    free = inside & (error > -20.0)
    assert free.sum() > 0.5 * inside.sum() > 0.2 * WIDTH * HEIGHT
    # At its edge a pixel is partly robot.
    assert np.quantile(np.abs(error[free]), 0.995) < 2.0
    assert abs(error[free].mean()) < 0.2


@pytest.mark.parametrize("camera", CAMERAS)
def test_depth_and_calibration_agree_to_a_fraction_of_a_pixel(studio: Studio, camera: str) -> None:
    """Depth on steep planes, tilted either way: a shift of the picture would show as a bias."""
    for axis in ("x", "y"):
        bias, slope = [], []
        for sign in (1.0, -1.0):
            studio.world.reset(())
            tilt = Rotation.from_euler(axis, sign * 1.1)
            T_cam_plate = se3.transform([0.0, 0.0, 0.15], tilt)
            builder = studio.world.scene.create_actor_builder()
            builder.add_box_visual(half_size=[0.04, 0.04, 1e-5])
            builder.set_initial_pose(sapien.Pose(studio.T_base_cam(camera) @ T_cam_plate))
            builder.build_static(name="plate")
            expected, points = studio.plane_depth(T_cam_plate)
            inside = (np.abs(points[..., :2]) < 0.035).all(axis=-1)
            error = studio.depth(camera) - expected
            assert inside.sum() > 1000
            assert np.abs(error[inside]).max() < 2.0
            bias.append(error[inside].mean())
            slope.append(np.gradient(expected, axis=1 if axis == "y" else 0)[inside].mean())
        assert np.abs(slope).min() > 1.0  # mm per pixel
        shift = (bias[0] - bias[1]) / (slope[0] - slope[1])
        assert abs(shift) < 0.05, f"the picture is shifted by {shift:.2f} pixels along {axis}"


@pytest.mark.parametrize("task", ["OpenBox", "OpenLaptop", "OpenDrawer"])
def test_the_point_to_act_on_is_seen_where_the_scene_says(
    studio: Studio, draw: Draw, task: str
) -> None:
    for seed in range(3):
        (placed,) = draw(task, seed=seed)
        studio.world.reset([placed])
        cloud = np.vstack([studio.cloud(camera) for camera in CAMERAS])
        head = studio.world.keypoints(placed.name)["articulated_object_head"]
        distance = np.linalg.norm(cloud - head, axis=1).min()
        assert distance < 0.008, f"seed {seed}: it is {distance * 1000:.0f} mm off the surface"


def test_colours_are_those_of_things_that_are_lit(studio: Studio, draw: Draw) -> None:
    studio.world.reset(draw("OpenBox", seed=1))
    for camera, frame in studio.frames().items():
        assert frame.rgb.shape == (HEIGHT, WIDTH, 3) and frame.rgb.dtype == np.uint8
        seen = frame.rgb[frame.depth_mm > 0].astype(float)
        assert 60 < seen.mean() < 220, f"{camera} is too dark or too bright"
        assert (seen.max(axis=1) > 20).mean() > 0.95, f"much of {camera} is black"
        assert (seen.min(axis=1) > 250).mean() < 0.05, f"much of {camera} is blown out"
        # The table is brown: red > green > blue tells rgb from bgr.
        red, green, blue = np.median(seen, axis=0)
        assert red > green > blue


def test_a_picture_shows_the_scene_of_its_moment(studio: Studio, draw: Draw) -> None:
    studio.world.reset(draw("OpenBox", seed=1))
    first = studio.frames()
    studio.world.reset(draw("OpenLaptop", seed=2))
    second = studio.frames()
    for camera in CAMERAS:
        assert (first[camera].depth_mm != second[camera].depth_mm).mean() > 0.005
    studio.world.reset(draw("OpenBox", seed=1))
    again = studio.frames()
    for camera in CAMERAS:
        assert np.array_equal(first[camera].depth_mm, again[camera].depth_mm)
        assert np.array_equal(first[camera].rgb, again[camera].rgb)
    studio.pose(OTHER_Q)
    moved = studio.frames()
    for camera in CAMERAS:
        assert (again[camera].depth_mm != moved[camera].depth_mm).mean() > 0.01


def test_a_camera_on_nothing_is_refused(urdf: str, studio: Studio) -> None:
    calibration = CameraCalibration(parent="fr3_hond", xyz=(0, 0, 0), xyzw=(0, 0, 0, 1))
    rig = CameraRig(CameraCalibrations(cameras={"wrist_camera": calibration}))
    with pytest.raises(CalibrationError, match=r"wrist_camera: parent frame 'fr3_hond'"):
        rig.attach(studio.world)


def test_frames_on_tf_are_those_of_the_calibration(calibrations: CameraCalibrations) -> None:
    pytest.importorskip("gensim2_msgs.msg", reason="needs the built workspace")
    from gensim2_sim_bridge.scene_messages_node import camera_transforms
    from geometry_msgs.msg import Transform

    def matrix(transform: Transform) -> Array:
        p, o = transform.translation, transform.rotation
        return se3.transform([p.x, p.y, p.z], Rotation.from_quat([o.x, o.y, o.z, o.w]))

    tree = {t.child_frame_id: t for t in camera_transforms(calibrations)}
    for name, calibration in calibrations.cameras.items():
        optical, link = tree[f"{name}_color_optical_frame"], tree[f"{name}_link"]
        assert optical.header.frame_id == f"{name}_link"
        assert link.header.frame_id == calibration.parent
        T = matrix(link.transform) @ matrix(optical.transform)
        np.testing.assert_allclose(T, calibration.matrix, atol=1e-9)
        # x of the body of a camera points where its optical z does.
        forward = matrix(link.transform)[:3, 0]
        np.testing.assert_allclose(forward, calibration.matrix[:3, 2], atol=1e-9)
