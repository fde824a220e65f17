"""Parameters of the node `policy`."""

from __future__ import annotations

from dataclasses import dataclass

from gensim2_control.ros.parameters import parameter
from gensim2_control.stream_bounds import StreamBounds

from .chunk_maker import BOUNDS, STOP_TIME, ChunkConfig
from .graph_robot_node import Patience
from .preflight import PREFLIGHTS
from .rollout import PATIENCE, RolloutConfig, still_below


@dataclass(frozen=True)
class PolicyParameters:
    """Which policy, and how it acts."""

    policy: str = parameter("", "Folder of a run or of a checkpoint.")
    device: str = parameter("cpu", "Where it runs.", choices=("cpu", "cuda"))
    domain: str = parameter("", "Whose stems and head are used; empty = the first of the policy.")
    language_weights: str = parameter(
        "",
        "Folder of the CLIP model that reads instructions, for a policy that was trained with one; "
        "empty = where it was in the training.",
    )
    threads: int = parameter(
        1, "Threads of PyTorch on the CPU; 0 = as many as there are cores.", low=0, high=256
    )
    compiled: bool = parameter(
        False, "Compile the network with torch.compile: starts later, and runs faster."
    )
    preflight: str = parameter(
        "warn",
        "What follows where the live cloud or the cameras differ from the training set.",
        choices=PREFLIGHTS,
    )
    latency: float = parameter(
        RolloutConfig.latency,
        "Time from an observation to the chunk made of it taking over, s of ROS time: enough to "
        "see, to fuse and to think.",
        low=0.0,
        high=1.5,
    )
    lead: float = parameter(
        RolloutConfig.lead,
        "Least time from the making of a chunk to its taking over, s.",
        low=0.0,
        high=0.5,
    )
    every: float = parameter(
        RolloutConfig.every,
        "Least time between two observations that are acted on, s.",
        low=0.02,
        high=1.5,
    )
    ensemble: float = parameter(
        ChunkConfig.ensemble,
        "Weight of each chunk over that of the one after it; 0 = only the newest counts (receding "
        "horizon).",
        low=0.0,
        high=1.0,
    )
    jerk_price: float = parameter(
        ChunkConfig.jerk_price,
        "Price of jerk over deviation from the targets, s^6.",
        low=1e-12,
        high=1.0,
    )
    rest: float = parameter(
        RolloutConfig.rest,
        "Time without wanted motion after which the task counts as performed, s.",
        low=0.1,
    )
    limit: float = parameter(
        0.0,
        "Time after which the policy is done, s; 0 = twice the longest demonstration of the task.",
        low=0.0,
        high=3600.0,
    )
    timeout: float = parameter(
        RolloutConfig.timeout,
        "Time for a task whose goal names none, s of ROS time.",
        low=0.1,
        high=3600.0,
    )
    cloud_age: float = parameter(
        Patience.cloud_age,
        "Age from which on a cloud is not acted on, s of ROS time.",
        low=0.02,
        high=10.0,
    )
    silence: float = parameter(
        Patience.silence,
        "How long news may be missing before the task ends, s of wall time.",
        low=0.1,
        high=60.0,
    )
    gripper_effort: float = parameter(30.0, "Force of the fingers, N.", low=1.0, high=70.0)
    velocity_scale: float = parameter(
        BOUNDS.velocity_scale, "Share of the joint speed limits that is used.", low=0.01, high=1.0
    )
    acceleration_scale: float = parameter(
        BOUNDS.acceleration_scale,
        "Share of the joint acceleration limits that is used.",
        low=0.01,
        high=1.0,
    )
    position_margin: float = parameter(
        BOUNDS.position_margin,
        "Distance from the ends of the joints that the body keeps, rad.",
        low=0.0,
        high=0.5,
    )
    stop_time: float = parameter(
        STOP_TIME, "Time within which a stream must be able to stop, s.", low=0.05, high=1.0
    )
    workspace_lower: tuple[float, ...] = parameter(
        BOUNDS.lower, "Lower corner of the box for TCP and fingertips, m in base."
    )
    workspace_upper: tuple[float, ...] = parameter(
        BOUNDS.upper, "Upper corner of the box for TCP and fingertips, m in base."
    )
    seed: int = parameter(0, "Of the noise that chunks are drawn from.", low=0)

    def check(self) -> None:
        """Refuse a workspace that is none.

        Raises:
            ValueError: Says why.
        """
        self.bounds()

    def bounds(self) -> StreamBounds:
        """What is kept."""
        return StreamBounds(
            self.position_margin,
            self.velocity_scale,
            self.acceleration_scale,
            self.workspace_lower,
            self.workspace_upper,
        )

    def chunks(self) -> ChunkConfig:
        """How targets are followed."""
        return ChunkConfig(jerk_price=self.jerk_price, ensemble=self.ensemble)

    def patience(self) -> Patience:
        """With others."""
        return Patience(self.cloud_age, self.silence)

    def rollout(self, longest: float, slowest: float, timeout: float) -> RolloutConfig:
        """Times of a task.

        Args:
            longest: Demonstration of it, s; 0 = unknown.
            slowest: See `PolicyRecord`.
            timeout: Of the goal, s; 0 = that of the node.
        """
        limit = self.limit or PATIENCE * longest
        timeout = timeout or self.timeout
        return RolloutConfig(
            latency=self.latency,
            lead=self.lead,
            every=self.every,
            rest=self.rest,
            limit=limit or timeout,
            timeout=timeout,
            still=still_below(slowest),
        )
