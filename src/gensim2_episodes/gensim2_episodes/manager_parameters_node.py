"""Parameters of the node `episode_manager`."""

from __future__ import annotations

from dataclasses import dataclass

from gensim2_control.ros.parameters import parameter

from gensim2_episodes.assembly import RecorderConfig

OBS_STATE, OBS_CLOUD, OBS_IMAGE, OBS_DEPTH = "state", "pointcloud", "image", "rgbd"
OBS_ALL = "all"
OBS = (OBS_STATE, OBS_CLOUD, OBS_IMAGE, OBS_DEPTH, OBS_ALL)
_PICTURES = (OBS_IMAGE, OBS_DEPTH, OBS_ALL)


@dataclass(frozen=True)
class ManagerParameters:
    """What is recorded, and how long the manager waits for others."""

    obs: str = parameter(
        OBS_CLOUD,
        "What is recorded beside the state of the robot; rgbd = image and depth; all = cloud too.",
        choices=OBS,
    )
    observation_rate: float = parameter(
        10.0, "Rate of the recorded observations, Hz of ROS time.", low=0.1, high=100.0
    )
    stamp_tolerance: float = parameter(
        1e-4, "How far stamps may be off a multiple of the period, s.", low=0.0, high=0.05
    )
    paced: bool = parameter(
        False,
        "Take frames when the cameras do and interpolate the joints to them: for a body that does "
        "not measure at multiples of the period, as a real one.",
    )
    cameras: tuple[str, ...] = parameter(
        ("wrist_camera", "left_camera", "right_camera"), "Names of the cameras."
    )
    record_truth: bool = parameter(True, "Record openness and keypoints from scene/state.")
    max_lost: int = parameter(
        0, "Observations that may be missing from a successful episode.", low=0
    )
    execute_timeout: float = parameter(
        0.0, "Time a controller has for a task, s of ROS time; 0 = its default.", low=0.0
    )
    execute_limit: float = parameter(
        600.0,
        "Time after which a controller that has not ended by itself counts as hung, s of ROS time.",
        low=1.0,
    )
    server_timeout: float = parameter(
        30.0, "Longest wait for a node or topic to appear, s of wall time.", low=0.1
    )
    reset_timeout: float = parameter(
        120.0, "Longest wait for a new scene, s of wall time.", low=0.1
    )
    reset_patience: float = parameter(
        15.0,
        "Time after which a request for a new scene is repeated, twice as long each time, s of "
        "wall time.",
        low=0.1,
    )
    busy_timeout: float = parameter(
        10.0, "Longest wait for the robot to be free for a reset, s of wall time.", low=0.0
    )
    recover_lost_heartbeat: bool = parameter(
        False,
        "Call robot/recover before the next attempt where a lost heartbeat has stopped the robot; "
        "for simulations, which nobody attends.",
    )
    stall_timeout: float = parameter(
        120.0,
        "Longest time in which neither ROS time nor the controller goes on, s of wall time.",
        low=1.0,
    )
    message_timeout: float = parameter(
        10.0, "Longest wait for the last observation or scene state, s of wall time.", low=0.1
    )
    silence_timeout: float = parameter(
        15.0,
        "Silence on diagnostics after which a node that was heard there before counts as dead, "
        "four times as long as hung where it is still seen in the graph, s of wall time.",
        low=2.0,
        high=3600.0,
    )
    cancel_timeout: float = parameter(
        3.0, "Longest wait for a controller to end after a cancel, s of wall time.", low=0.1
    )

    def check(self) -> None:
        """Refuses combinations that make no sense.

        Raises:
            ValueError: Says which.
        """
        self.recorder(truth=True)
        if not self.cameras and self.obs in _PICTURES:
            raise ValueError(f"obs is {self.obs}, but cameras is empty")

    def recorder(self, truth: bool) -> RecorderConfig:
        """What belongs to a frame.

        Args:
            truth: Whether there is any truth to record.
        """
        return RecorderConfig(
            period_ns=round(1e9 / self.observation_rate),
            cloud=self.obs in (OBS_CLOUD, OBS_ALL),
            cameras=self.cameras if self.obs in _PICTURES else (),
            depths=self.obs in (OBS_DEPTH, OBS_ALL),
            truth=truth and self.record_truth,
            tolerance_ns=round(1e9 * self.stamp_tolerance),
            paced=self.paced,
        )
