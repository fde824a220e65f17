"""Parameters of the node ``sim_bridge``, beside those of the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from gensim2_control.ros.parameters import parameter
from gensim2_tasks.gensim2_judge import JUDGES, PREDICATES
from gensim2_tasks.placement import STARTS
from gensim2_tasks.randomisation import KINDS, MOST_CLUTTER, TASK, Variation
from gensim2_tasks.splits import ALL, SPLITS, Split

OBSERVATIONS = ("state", "pointcloud", "image", "rgbd", "all")


@dataclass(frozen=True)
class SimParameters:
    """Physics, pace, cameras and assets of the simulation."""

    physics_rate: float = parameter(
        200.0,
        "Physics steps and control periods per simulated second; more could exceed the jerk limit "
        "of the real robot, which every body keeps.",
        low=50.0,
        high=250.0,
    )
    real_time_factor: float = parameter(
        0.0,
        "Simulated seconds per second; 0 = as fast as possible, and only while the robot has "
        "something to do.",
        low=0.0,
        high=100.0,
    )
    observation_rate: float = parameter(
        10.0, "Camera pictures and scene states per simulated second.", low=1.0, high=60.0
    )
    obs: str = parameter(
        "pointcloud", "What the scene is observed with; state = no cameras.", choices=OBSERVATIONS
    )
    calibration: str = parameter("", "Calibration file of the cameras; needed unless obs is state.")
    camera_width: int = parameter(320, "Width of the pictures, pixels.", low=16, high=1920)
    camera_height: int = parameter(240, "Height of the pictures, pixels.", low=16, high=1080)
    camera_fovy: float = parameter(
        1.012, "Vertical field of view of the cameras, rad.", low=0.2, high=2.5
    )
    asset_root: str = parameter("", "Folder of imported assets; empty = procedural ones.")
    judge: str = parameter(
        PREDICATES,
        "Who says what a success is: the predicates of the task, or, for comparison only, the "
        "criteria of the public GenSim2.",
        choices=JUDGES,
    )
    start: str = parameter(
        "task",
        "How far objects are open at a reset: task = as drawn, closed, open, honest = closed where "
        "the task opens and open where it closes.",
        choices=STARTS,
    )
    randomise: str = parameter(
        TASK,
        "What differs from scene to scene beside where objects stand: a comma list of "
        f"{', '.join(KINDS)}; or all, none, or task: what the task file says.",
    )
    clutter: int = parameter(
        -1,
        "How many things stand about that have nothing to do with the task; -1 = as the task file "
        "says, which is usually none.",
        low=-1,
        high=MOST_CLUTTER,
    )
    split: str = parameter(
        ALL,
        "Which assets may be drawn: those for training, those for testing, or all; of generated "
        "ones by their seed, of imported ones by their id.",
        choices=SPLITS,
    )
    recorder_timeout: float = parameter(
        5.0,
        "Time to wait for a recorder before the simulation goes on without it, s of wall time.",
        low=0.1,
        high=600.0,
    )

    @property
    def variation(self) -> Variation:
        """What is randomised.

        Raises:
            RandomisationError: There is no such kind, or kinds contradict each other.
        """
        split = cast(Split, self.split)  # The parameter allows nothing else.
        return Variation.parse(self.randomise, self.clutter, split)

    def check(self) -> None:
        """Refuses rates that do not fit, cameras without a place and switches that exclude."""
        _ = self.variation
        if (self.physics_rate / self.observation_rate) % 1.0:
            raise ValueError(
                f"physics_rate {self.physics_rate:g} must be a multiple of observation_rate "
                f"{self.observation_rate:g}"
            )
        if self.obs != "state" and not self.calibration:
            raise ValueError("calibration: a file is needed unless obs is 'state'")
