"""What is dropped before points are made must be outside: a fused cloud is the same without it."""

import numpy as np
import pytest
from gensim2_perception.culling import may_be_in_box
from gensim2_perception.frames import CameraFrame, PinholeIntrinsics
from gensim2_perception.fusion import Fusion, FusionConfig
from gensim2_perception.static_transforms import rigid
from hypothesis import given, settings
from hypothesis import strategies as st
from perception_scenes import CAMERAS, frame

from gensim2_perception import clouds

INTRINSICS = PinholeIntrinsics(40, 30, 35.0, 33.0, 19.5, 14.5)
LOWER, UPPER = (0.15, -0.6, 0.005), (1.1, 0.6, 0.9)
seeds = st.integers(0, 2**32 - 1)


def random_pose(rng: np.random.Generator, reach: float) -> np.ndarray:
    xyzw = rng.normal(size=4)
    return rigid(rng.uniform(-reach, reach, 3), xyzw / np.linalg.norm(xyzw))


def random_depth(rng: np.random.Generator, unit: str) -> np.ndarray:
    mm = rng.integers(0, 3000, (INTRINSICS.height, INTRINSICS.width)).astype(np.uint16)
    if unit == "mm":
        return mm
    metres = (mm * np.float32(0.001)).astype(np.float32)
    metres[rng.random(mm.shape) < 0.1] = np.nan
    metres[rng.random(mm.shape) < 0.1] = np.inf
    return metres


@given(seeds, st.sampled_from(["mm", "m"]), st.floats(0.1, 2.0), st.sampled_from([2.5, np.inf]))
@settings(max_examples=100, deadline=None)
def test_no_point_in_the_box_is_dropped(
    seed: int, unit: str, reach: float, depth_max: float
) -> None:
    """One that is would be a hole in an object."""
    rng = np.random.default_rng(seed)
    T, depth = random_pose(rng, reach), random_depth(rng, unit)
    p_optical, pixels = clouds.deproject(depth, INTRINSICS, 0.0, depth_max)
    p_a = clouds.transform(T, p_optical)
    lower = np.sort(rng.uniform(-1.5, 1.5, (2, 3)), axis=0)
    for low, high in (tuple(lower), (p_a.min(axis=0), p_a[len(p_a) // 2])):
        usable = clouds.usable_readings(depth, 0.0, depth_max)
        marked = may_be_in_box(depth, usable, INTRINSICS, T, low, high, depth_max)
        inside = pixels[clouds.crop_box(p_a, low, high)]
        assert set(inside.tolist()) <= set(clouds.marked_pixels(marked).tolist())
        assert not marked[usable == 0].any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_points_on_a_face_of_the_box_are_kept(axis: int) -> None:
    """Rounding must not decide, hence the face goes through points as they are made."""
    rng = np.random.default_rng(axis)
    T, depth = random_pose(rng, 0.5), random_depth(rng, "mm")
    usable = clouds.usable_readings(depth, 0.0, 3.0)
    p_optical, pixels = clouds.deproject(depth, INTRINSICS, 0.0, 3.0)
    p_a = clouds.transform(T, p_optical)
    for i in range(0, len(pixels), 7):
        low, high = np.full(3, -9.0), np.full(3, 9.0)
        low[axis] = high[axis] = p_a[i, axis]
        marked = may_be_in_box(depth, usable, INTRINSICS, T, low, high, 3.0)
        assert marked.ravel()[pixels[i]]


def test_most_of_what_is_outside_is_dropped() -> None:
    """Otherwise it costs time and saves none: of the table only what is near an object stays."""
    for camera, T in CAMERAS.items():
        seen = frame(camera, 0)
        usable = clouds.usable_readings(seen.depth, 0.05, 3.0)
        marked = may_be_in_box(seen.depth, usable, seen.intrinsics, T, LOWER, UPPER, 3.0)
        p_optical, _ = clouds.deproject(seen.depth, seen.intrinsics, 0.05, 3.0)
        inside = clouds.crop_box(clouds.transform(T, p_optical), LOWER, UPPER)
        assert len(inside) <= np.count_nonzero(marked) <= 1.3 * len(inside)


@given(seeds, st.sampled_from(["mm", "m"]), st.floats(0.0, 1.0))
@settings(max_examples=30, deadline=None)
def test_a_fused_cloud_is_that_of_all_readings_transformed_and_cropped(
    seed: int, unit: str, depth_min: float
) -> None:
    """To the bit, in order, and with the colour of its pixel."""
    rng = np.random.default_rng(seed)
    config = FusionConfig(num_points=0, depth_min=depth_min, depth_max=2.5)
    frames, poses, points, colours = [], {}, [], []
    for camera in ("one", "two", "three"):
        T, depth = random_pose(rng, 1.0), random_depth(rng, unit)
        rgb = rng.integers(0, 256, (*depth.shape, 3)).astype(np.uint8)
        frames.append(CameraFrame(camera, 0, camera, rgb, depth, INTRINSICS))
        poses[camera] = T
        p_optical, pixels = clouds.deproject(depth, INTRINSICS, depth_min, 2.5)
        p_base = clouds.transform(T, p_optical)
        inside = clouds.crop_box(p_base, config.crop_min, config.crop_max)
        points.append(p_base[inside])
        colours.append(rgb.reshape(-1, 3)[pixels[inside]])
    cloud = Fusion(config).fuse(frames, poses)
    assert np.array_equal(cloud.xyz, np.concatenate(points))
    assert np.array_equal(cloud.rgb, np.concatenate(colours))
    assert [cloud.counts.in_workspace[c] for c in poses] == [len(p) for p in points]
