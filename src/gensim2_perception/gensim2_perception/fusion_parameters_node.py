"""Parameters of the node `pointcloud_fusion`."""

from __future__ import annotations

from dataclasses import dataclass

from gensim2_control.ros.parameters import parameter

from .fusion import FusionConfig
from .pipeline import PipelineConfig

CAMERAS = ("wrist_camera", "left_camera", "right_camera")


@dataclass(frozen=True)
class FusionParameters:
    """See the descriptions; the defaults suit the simulation."""

    cameras: tuple[str, ...] = parameter(CAMERAS, "Names of the cameras, also their namespaces.")
    base_frame: str = parameter("base", "Frame of the cloud: the root link of the robot.")
    num_points: int = parameter(
        4096, "Points per cloud [-]; 0 publishes all that are left.", low=0, high=1_000_000
    )
    crop_min: tuple[float, ...] = parameter(
        (0.15, -0.6, 0.005), "Lower corner of the workspace in base [m]; z removes the table."
    )
    crop_max: tuple[float, ...] = parameter(
        (1.1, 0.6, 0.9), "Upper corner of the workspace in base [m]."
    )
    depth_min: float = parameter(0.05, "Nearest depth reading used [m].", low=0.0)
    depth_max: float = parameter(3.0, "Farthest depth reading used [m].", low=0.0)
    voxel: float = parameter(
        0.0, "One point per cube of this edge, before sampling [m]; 0 = off.", low=0.0, high=1.0
    )
    outlier_radius_neighbours: int = parameter(
        0, "Drop points with fewer neighbours than this in outlier_radius [-]; 0 = off.", low=0
    )
    outlier_radius: float = parameter(
        0.02, "Radius of that test [m]; the cloud is thinned before.", low=0.001, high=1.0
    )
    outlier_statistical_neighbours: int = parameter(
        0, "Neighbours of the statistical outlier test [-]; 0 = off.", low=0
    )
    outlier_statistical_ratio: float = parameter(
        2.0, "Its threshold in standard deviations [-].", low=0.0
    )
    max_spread: float = parameter(
        0.05, "Largest difference of image stamps within a cloud [s].", low=0.0
    )
    max_age: float = parameter(
        0.0,
        "Images older, or further in the future, than this are dropped [s]; 0 = off, for a "
        "simulation that waits for its recorder.",
        low=0.0,
    )
    camera_deadline: float = parameter(
        1.0, "How long a cloud waits for a late camera [s, wall time].", low=0.01
    )
    pose_deadline: float = parameter(
        1.0, "How long a cloud waits for joint state or calibration [s, wall time].", low=0.01
    )
    max_joint_gap: float = parameter(
        0.1, "Joint states further apart than this are not interpolated [s].", low=0.001
    )
    min_cameras: int = parameter(1, "Clouds of fewer cameras are dropped [-].", low=1)
    newest_only: bool = parameter(
        False,
        "Leave out what is ready together with something newer: for real cameras, which do not "
        "wait for a computer that is too slow.",
    )
    reliable: bool = parameter(
        True, "Subscribe to images reliably (simulation) or as sensor data (real cameras)."
    )
    queue_depth: int = parameter(
        10, "Messages kept per image topic; 2 for real cameras [-].", low=1, high=100
    )

    start_grace: float = parameter(
        15.0,
        "Time after the start in which what is missing is not logged [s, wall time].",
        low=0.0,
    )

    def check(self) -> None:
        """Refuses combinations that make no sense, with a ValueError."""
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"parameter cameras: name each once, got {list(self.cameras)}")
        self.fusion()
        self.pipeline()

    def fusion(self) -> FusionConfig:
        """The part that concerns one cloud."""
        if len(self.crop_min) != 3 or len(self.crop_max) != 3:
            raise ValueError("parameters crop_min and crop_max need three numbers each: x, y, z")
        return FusionConfig(
            num_points=self.num_points,
            crop_min=(self.crop_min[0], self.crop_min[1], self.crop_min[2]),
            crop_max=(self.crop_max[0], self.crop_max[1], self.crop_max[2]),
            depth_min=self.depth_min,
            depth_max=self.depth_max,
            voxel_edge=self.voxel,
            radius=self.outlier_radius,
            radius_neighbours=self.outlier_radius_neighbours,
            statistical_neighbours=self.outlier_statistical_neighbours,
            statistical_std_ratio=self.outlier_statistical_ratio,
        )

    def pipeline(self) -> PipelineConfig:
        """The part that concerns the stream."""
        return PipelineConfig(
            cameras=self.cameras,
            max_spread_s=self.max_spread,
            camera_deadline_s=self.camera_deadline,
            pose_deadline_s=self.pose_deadline,
            max_age_s=self.max_age,
            min_cameras=self.min_cameras,
            queue_depth=max(self.queue_depth, 2),
            newest_only=self.newest_only,
        )
