"""Fusion of a known scene: points on its surfaces, in its colours, in the number asked for."""

from dataclasses import replace

import numpy as np
import pytest
from gensim2_perception.frames import CameraFrame
from gensim2_perception.fusion import FusedCloud, Fusion, FusionConfig
from perception_scenes import BOX, BOX_RGB, CAMERAS, TABLE_RGB, distance_to_box, frame

FRAMES = [frame(camera, 1000 + i) for i, camera in enumerate(CAMERAS)]


def fuse(**config: object) -> FusedCloud:
    return Fusion(FusionConfig(**config)).fuse(FRAMES, CAMERAS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "config",
    [
        {"num_points": 0},
        {"num_points": 2048},
        {"num_points": 1024, "voxel_edge": 0.005},
        {"num_points": 1024, "radius_neighbours": 3, "statistical_neighbours": 8},
    ],
    ids=["all", "sampled", "voxel", "outliers"],
)
def test_points_lie_on_the_box_within_two_millimetres(config: dict) -> None:
    """A pose used the wrong way round, or half a pixel, is worth centimetres here."""
    cloud = fuse(**config)
    assert cloud.xyz.dtype == np.float32 and cloud.rgb.dtype == np.uint8
    assert cloud.xyz.shape == cloud.rgb.shape
    if config["num_points"]:
        assert len(cloud.xyz) == config["num_points"] == cloud.counts.distinct
    assert distance_to_box(cloud.xyz).max() < 0.002
    assert (cloud.rgb == BOX_RGB).all(), "colour and depth of different pixels were joined"


def test_three_cameras_see_every_side_but_the_one_behind_and_below() -> None:
    xyz = fuse(num_points=1024).xyz
    low, high = BOX
    for axis, value in ((0, low[0]), (1, low[1]), (1, high[1]), (2, high[2])):
        on_face = np.abs(xyz[:, axis] - value) < 0.002
        assert on_face.sum() > 50
    # Even sampling: hardly a spot on top of the box is farther than 3 cm from a point.
    spots = np.random.default_rng(0).uniform(low, high, (200, 3))
    spots[:, 2] = high[2]
    gaps = np.linalg.norm(spots[:, None] - xyz[None], axis=2).min(axis=1)
    assert np.quantile(gaps, 0.95) < 0.03


def test_table_goes_with_the_lower_bound_and_stays_without_it() -> None:
    without = fuse(num_points=0, crop_min=(0.15, -0.6, -0.1))
    assert (without.rgb == TABLE_RGB).all(axis=1).any()
    assert np.abs(without.xyz[(without.rgb == TABLE_RGB).all(axis=1), 2]).max() < 0.002


def test_crop_reaches_behind_the_object() -> None:
    """The public default cut at x = 0.8 and lost the rear half of many objects."""
    T_shift = np.eye(4)
    T_shift[0, 3] = 0.3
    moved = {camera: T_shift @ T for camera, T in CAMERAS.items()}
    cloud = Fusion(FusionConfig(num_points=512)).fuse(FRAMES, moved)
    assert cloud.xyz[:, 0].max() > 1.0


def test_same_input_same_cloud_to_the_bit() -> None:
    first, second = fuse(num_points=777), fuse(num_points=777)
    assert np.array_equal(first.xyz, second.xyz) and np.array_equal(first.rgb, second.rgb)


def test_few_points_are_repeated_and_none_gives_an_empty_cloud() -> None:
    tiny = {"crop_min": (0.49, -0.01, 0.24), "crop_max": (0.51, 0.01, 0.26)}
    few = fuse(num_points=4096, **tiny)
    assert len(few.xyz) == 4096
    assert 0 < few.counts.distinct < 4096
    assert len(np.unique(few.xyz, axis=0)) <= few.counts.distinct
    none = fuse(num_points=4096, crop_min=(0.15, -0.6, 0.8))
    assert none.xyz.shape == none.rgb.shape == (0, 3)
    assert none.counts.distinct == 0


def test_what_went_in_is_reported() -> None:
    cloud = Fusion().fuse(FRAMES[:2], CAMERAS, {"right_camera": "no frame"})
    assert cloud.stamp_ns == 1000
    assert dict(cloud.stamps_ns) == {"wrist_camera": 1000, "left_camera": 1001}
    assert dict(cloud.missing) == {"right_camera": "no frame"}
    assert cloud.spread_s == pytest.approx(1e-9)
    assert cloud.ages_s(2001) == pytest.approx({"wrist_camera": 1.001e-6, "left_camera": 1e-6})
    for camera in cloud.stamps_ns:
        assert cloud.counts.readings[camera] >= cloud.counts.in_workspace[camera] > 0


def test_cameras_of_different_resolution_are_fused() -> None:
    """A real wrist camera may run at another size than the fixed ones."""
    whole = FRAMES[1]
    half = CameraFrame(
        whole.camera,
        whole.stamp_ns,
        whole.frame_id,
        whole.rgb[::2, ::2],
        whole.depth[::2, ::2],
        replace(whole.intrinsics, width=80, height=60, fx=75.0, fy=75.0, cx=39.75, cy=29.75),
    )
    cloud = Fusion(FusionConfig(num_points=512)).fuse([FRAMES[0], half, FRAMES[2]], CAMERAS)
    assert distance_to_box(cloud.xyz).max() < 0.002
    assert (cloud.rgb == BOX_RGB).all()


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"num_points": -1}, "num_points"),
        ({"crop_min": (0.5, 0, 0), "crop_max": (0.5, 1, 1)}, "crop box is empty"),
        ({"crop_min": (0.5, 0)}, "three numbers"),
        ({"depth_min": 3.0, "depth_max": 1.0}, "depth range"),
        ({"radius": 0.0}, "radius"),
    ],
)
def test_settings_without_sense_are_refused(config: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FusionConfig(**config)


def test_a_fusion_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        Fusion().fuse([], {})
