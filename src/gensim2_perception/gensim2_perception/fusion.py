"""Makes one cloud in ``base`` from the frames of several cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import clouds, culling
from .frames import CameraFrame
from .static_transforms import Transform

# Farthest point sampling of N points looks at no more than this many times N.
THINNING_FACTOR = 8


@dataclass(frozen=True)
class FusionConfig:
    """What is kept of a cloud and how it is sampled.

    Attributes:
        num_points: Size of the sampled cloud [-]; 0 publishes every point that is left.
        crop_min: Lower corner of the workspace in base [m]; z just above the table removes it.
        crop_max: Upper corner of the workspace in base [m].
        depth_min: Nearest depth reading that is trusted [m].
        depth_max: Farthest depth reading that is trusted [m].
        voxel_edge: One point per cube of this edge [m]; 0 = off.
        radius: Radius of the neighbour test [m].
        radius_neighbours: Points with fewer neighbours than this in the radius go; 0 = off.
        statistical_neighbours: Neighbours of the statistical test; 0 = off.
        statistical_std_ratio: Its threshold in standard deviations [-].
    """

    num_points: int = 4096
    crop_min: tuple[float, float, float] = (0.15, -0.6, 0.005)
    crop_max: tuple[float, float, float] = (1.1, 0.6, 0.9)
    depth_min: float = 0.05
    depth_max: float = 3.0
    voxel_edge: float = 0.0
    radius: float = 0.02
    radius_neighbours: int = 0
    statistical_neighbours: int = 0
    statistical_std_ratio: float = 2.0

    def __post_init__(self) -> None:
        if self.num_points < 0:
            raise ValueError(f"num_points must be 0 (all) or positive, got {self.num_points}")
        if len(self.crop_min) != 3 or len(self.crop_max) != 3:
            raise ValueError("crop_min and crop_max need three numbers each: x, y, z")
        if not all(a < b for a, b in zip(self.crop_min, self.crop_max, strict=True)):
            raise ValueError(
                f"crop box is empty: crop_min {self.crop_min} must be below crop_max "
                f"{self.crop_max} on every axis"
            )
        if not 0.0 <= self.depth_min < self.depth_max:
            raise ValueError(
                f"depth range is empty: 0 <= {self.depth_min} < {self.depth_max} does not hold"
            )
        if self.voxel_edge < 0.0 or self.radius <= 0.0 or self.statistical_std_ratio < 0.0:
            raise ValueError(
                "voxel_edge and statistical_std_ratio must not be negative and radius positive, "
                f"got {self.voxel_edge}, {self.statistical_std_ratio}, {self.radius}"
            )


@dataclass(frozen=True)
class FusionCounts:
    """Points left after each step.

    Attributes:
        readings: Usable depth readings per camera.
        in_workspace: Of those, inside the crop box, per camera.
        cleaned: All cameras together after voxel grid, thinning and outlier removal.
        distinct: Different points in the published cloud; fewer than its size if points had to
            be repeated.
    """

    readings: Mapping[str, int]
    in_workspace: Mapping[str, int]
    cleaned: int
    distinct: int


@dataclass(frozen=True)
class FusedCloud:
    """One cloud.

    Attributes:
        stamp_ns: Stamp of the oldest image in it [ns].
        xyz: (N, 3) float32 in base [m]. N = num_points, except that a workspace in which no camera
            sees anything gives N = 0.
        rgb: (N, 3) uint8.
        stamps_ns: Stamp per camera in it [ns].
        missing: Cameras that are not in it, and why.
        counts: Points after each step.
    """

    stamp_ns: int
    xyz: NDArray[np.float32]
    rgb: NDArray[np.uint8]
    stamps_ns: Mapping[str, int]
    missing: Mapping[str, str]
    counts: FusionCounts

    @property
    def spread_s(self) -> float:
        """Newest minus oldest image in it [s]."""
        return (max(self.stamps_ns.values()) - min(self.stamps_ns.values())) * 1e-9

    def ages_s(self, now_ns: int) -> dict[str, float]:
        """Age of each image at a time of the same clock [s]."""
        return {camera: (now_ns - stamp) * 1e-9 for camera, stamp in self.stamps_ns.items()}


@dataclass(frozen=True)
class Fusion:
    """Deprojects, transforms, crops, cleans and samples; no state, no clock, no randomness."""

    config: FusionConfig = field(default_factory=FusionConfig)

    def fuse(
        self,
        frames: Sequence[CameraFrame],
        T_base_optical: Mapping[str, Transform],
        missing: Mapping[str, str] | None = None,
    ) -> FusedCloud:
        """One cloud from frames of one instant.

        Args:
            frames: At least one. Their order is part of the input: another order may choose
                other points.
            T_base_optical: Pose per camera name at the stamp of its frame.
            missing: Cameras that should have been among them, and why they are not; passed on.

        Raises:
            ValueError: no frames.
            KeyError: a frame without a pose.
        """
        if not frames:
            raise ValueError("fusion: at least one frame is needed")
        readings: dict[str, int] = {}
        in_workspace: dict[str, int] = {}
        all_xyz: list[NDArray[np.float32]] = []
        all_pixels: list[NDArray[np.intp]] = []
        for frame in frames:
            usable = clouds.usable_readings(
                frame.depth, self.config.depth_min, self.config.depth_max
            )
            T = T_base_optical[frame.camera]
            p_base, pixels = self._in_workspace(frame, T, usable)
            readings[frame.camera] = int(np.count_nonzero(usable))
            in_workspace[frame.camera] = len(pixels)
            all_xyz.append(p_base)
            all_pixels.append(pixels)
        # Joined along the coordinates, as the points of each camera are stored.
        xyz = np.concatenate([p_base.T for p_base in all_xyz], axis=1).T
        cleaned = self._clean(xyz)
        chosen = self._sample(xyz, cleaned)
        return FusedCloud(
            stamp_ns=min(frame.stamp_ns for frame in frames),
            xyz=np.ascontiguousarray(xyz[chosen]),
            rgb=_colours(frames, all_pixels, chosen),
            stamps_ns={frame.camera: frame.stamp_ns for frame in frames},
            missing=dict(missing or {}),
            counts=FusionCounts(
                readings, in_workspace, len(cleaned), min(len(cleaned), len(chosen))
            ),
        )

    def _in_workspace(
        self, frame: CameraFrame, T_base_optical: Transform, usable: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Points of one camera in the crop box, in base, and their flat pixel index."""
        config = self.config
        near = culling.may_be_in_box(
            frame.depth,
            usable,
            frame.intrinsics,
            T_base_optical,
            config.crop_min,
            config.crop_max,
            config.depth_max,
        )
        pixels = clouds.marked_pixels(near)
        p_optical = clouds.deproject_pixels(frame.depth, frame.intrinsics, pixels)
        p_base = clouds.transform(T_base_optical, p_optical)
        inside = clouds.crop_box(p_base, config.crop_min, config.crop_max)
        return clouds.take_points(p_base, inside), pixels[inside]

    def _clean(self, xyz: NDArray[np.float32]) -> NDArray[np.intp]:
        config = self.config
        index: NDArray[np.intp] = np.arange(len(xyz), dtype=np.intp)
        if config.voxel_edge > 0.0:
            index = clouds.voxel(xyz, config.voxel_edge)
        if config.num_points > 0:
            index = index[clouds.thin(len(index), THINNING_FACTOR * config.num_points)]
        if config.radius_neighbours > 0:
            points = clouds.take_points(xyz, index)
            index = index[clouds.radius_inliers(points, config.radius, config.radius_neighbours)]
        if config.statistical_neighbours > 0:
            points = clouds.take_points(xyz, index)
            index = index[
                clouds.statistical_inliers(
                    points, config.statistical_neighbours, config.statistical_std_ratio
                )
            ]
        return index

    def _sample(self, xyz: NDArray[np.float32], cleaned: NDArray[np.intp]) -> NDArray[np.intp]:
        if self.config.num_points == 0 or len(cleaned) == 0:
            return cleaned
        points = clouds.take_points(xyz, cleaned)
        return cleaned[clouds.farthest_points(points, self.config.num_points)]


def _colours(
    frames: Sequence[CameraFrame], all_pixels: Sequence[NDArray[np.intp]], chosen: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """Colours (N, 3) of the chosen points; looked up last, because few points are left by then."""
    rgb = np.empty((len(chosen), 3), np.uint8)
    first = 0
    for frame, pixels in zip(frames, all_pixels, strict=True):
        here = np.flatnonzero((chosen >= first) & (chosen < first + len(pixels)))
        row, column = np.divmod(pixels[chosen[here] - first], frame.intrinsics.width)
        # By row and column, because the rows of an image need not lie side by side in memory.
        rgb[here] = frame.rgb[row, column]
        first += len(pixels)
    return rgb
