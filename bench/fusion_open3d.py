"""The steps of the point-cloud fusion with the operators of Open3D, for comparison.

Its classes of `open3d.geometry` are used: those of `open3d.t.geometry` take more than a hundred
times as long for farthest point sampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import fpsample
import numpy as np
import open3d as o3d
from gensim2_perception.frames import CameraFrame
from gensim2_perception.fusion import THINNING_FACTOR, FusionConfig
from gensim2_perception.static_transforms import Transform, inverse
from numpy.typing import NDArray


def fuse_with_open3d(
    frames: Sequence[CameraFrame],
    T_base_optical: Mapping[str, Transform],
    config: FusionConfig,
    *,
    own_sampling: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Makes one cloud of depth images in mm, step by step as `fusion.Fusion` does.

    Args:
        frames: Of one instant.
        T_base_optical: Pose per camera.
        config: What is kept and how it is sampled.
        own_sampling: Farthest point sampling by Open3D, otherwise by fpsample.

    Returns:
        Points (N, 3) in base [m], colours (N, 3) from 0 to 1, and the number of points in the
        workspace before they were thinned.
    """
    box = o3d.geometry.AxisAlignedBoundingBox(config.crop_min, config.crop_max)
    cloud = o3d.geometry.PointCloud()
    for frame in frames:
        cloud += _deproject(frame, T_base_optical[frame.camera], config.depth_max).crop(box)
    in_workspace = len(cloud.points)
    if config.voxel_edge > 0.0:
        cloud = cloud.voxel_down_sample(config.voxel_edge)
    step = -(-len(cloud.points) // (THINNING_FACTOR * config.num_points))
    cloud = cloud.uniform_down_sample(step)
    if config.radius_neighbours > 0:
        cloud, _ = cloud.remove_radius_outlier(config.radius_neighbours, config.radius)
    if config.statistical_neighbours > 0:
        cloud, _ = cloud.remove_statistical_outlier(
            config.statistical_neighbours, config.statistical_std_ratio
        )
    if own_sampling:
        cloud = cloud.farthest_point_down_sample(config.num_points)
        return np.asarray(cloud.points), np.asarray(cloud.colors), in_workspace
    points = np.asarray(cloud.points)
    chosen = fpsample.bucket_fps_kdline_sampling(
        points.astype(np.float32), config.num_points, h=6, start_idx=0
    )
    return points[chosen], np.asarray(cloud.colors)[chosen], in_workspace


def _deproject(
    frame: CameraFrame, T_base_optical: Transform, depth_max: float
) -> o3d.geometry.PointCloud:
    k = frame.intrinsics
    picture = o3d.geometry.RGBDImage.create_from_color_and_depth(
        o3d.geometry.Image(frame.rgb),
        o3d.geometry.Image(frame.depth),
        depth_scale=1000.0,
        depth_trunc=depth_max,
        convert_rgb_to_intensity=False,
    )
    camera = o3d.camera.PinholeCameraIntrinsic(k.width, k.height, k.fx, k.fy, k.cx, k.cy)
    return o3d.geometry.PointCloud.create_from_rgbd_image(picture, camera, inverse(T_base_optical))
