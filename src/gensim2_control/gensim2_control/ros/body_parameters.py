"""Parameters that every host of a body offers, and the settings made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gensim2_control.config import ArmConfig, BodyConfig, GripperConfig
from gensim2_control.limits import JointLimits, Workspace
from gensim2_control.ros.parameters import parameter


@dataclass(frozen=True)
class BodyParameters:
    """Limits, tolerances and rates of the body contract. Read at start."""

    autostart: bool = parameter(
        True, "Configure and activate at start; without it a lifecycle manager does that."
    )
    confirm: bool = parameter(
        False, "Refuse goals until an operator has called robot/confirm once."
    )
    position_margin: float = parameter(
        0.0, "Distance kept from the joint position limits, rad.", low=0.0, high=0.5
    )
    velocity_scale: float = parameter(
        1.0, "Share of the joint speed limits that goals may use.", low=0.01, high=1.0
    )
    acceleration_scale: float = parameter(
        1.0, "Share of the joint acceleration limits that goals may use.", low=0.01, high=1.0
    )
    workspace_lower: tuple[float, ...] = parameter(
        (-1.2, -1.2, -0.5),
        "Lower corner of the box that TCP and fingertips may not leave, m in base.",
    )
    workspace_upper: tuple[float, ...] = parameter(
        (1.2, 1.2, 1.5), "Upper corner of the box that TCP and fingertips may not leave, m in base."
    )
    start_tolerance: float = parameter(
        0.01, "Allowed distance of a trajectory's start to the arm, rad.", low=1e-4, high=0.2
    )
    path_tolerance: float = parameter(
        -1.0, "Default tolerance on the way, rad; negative = unlimited.", low=-1.0, high=3.2
    )
    goal_tolerance: float = parameter(
        0.02, "Default tolerance at the goal, rad; negative = unlimited.", low=-1.0, high=3.2
    )
    goal_time_tolerance: float = parameter(
        1.0, "Default time after a trajectory to reach its goal, s.", low=0.01, high=60.0
    )
    stream_max_age: float = parameter(
        0.2, "Oldest stamp of a streamed trajectory, s.", low=0.01, high=5.0
    )
    stream_stop_time: float = parameter(
        0.27,
        "Longest deceleration of a stream, s: its speed may be no higher than this allows.",
        low=0.01,
        high=5.0,
    )
    stream_max_step: float = parameter(
        0.5,
        "Longest way of a joint to the first and from one to the next point of a stream, rad.",
        low=0.01,
        high=6.3,
    )
    stamp_tolerance: float = parameter(
        0.5, "How far the stamp of a goal may be from now, s.", low=0.01, high=60.0
    )
    gripper_stall_time: float = parameter(
        0.2, "Time the fingers stand still to count as stalled, s.", low=0.02, high=5.0
    )
    gripper_timeout: float = parameter(5.0, "Longest motion of the fingers, s.", low=0.1, high=60.0)
    gripper_max_effort: float = parameter(70.0, "Largest finger force, N.", low=1.0, high=140.0)
    home_speed: float = parameter(
        0.3, "Share of the speed limits that homing uses.", low=0.01, high=1.0
    )
    joint_state_rate: float = parameter(100.0, "Rate of joint_states, Hz.", low=1.0, high=1000.0)
    controller_state_rate: float = parameter(
        25.0, "Rate of the controller states, Hz.", low=1.0, high=200.0
    )
    heartbeat_required: bool = parameter(False, "Refuse goals while no client_heartbeat is alive.")
    heartbeat_timeout: float = parameter(
        2.0,
        "Wall time without a heartbeat message after which a client counts as hung, s; 0 = never.",
        low=0.0,
        high=60.0,
    )

    def check(self) -> None:
        """Raise `ValueError` where the workspace is not a box."""
        self.workspace()

    def workspace(self) -> Workspace:
        """Return the box that TCP and fingertips may not leave."""
        if len(self.workspace_lower) != 3 or len(self.workspace_upper) != 3:
            raise ValueError("workspace_lower and workspace_upper must have three entries: x, y, z")
        x, y, z = self.workspace_lower
        u, v, w = self.workspace_upper
        return Workspace((x, y, z), (u, v, w))

    def limits(self) -> JointLimits:
        """Return the joint limits to enforce."""
        return JointLimits.fr3().reduced(
            self.position_margin, self.velocity_scale, self.acceleration_scale
        )

    def config(self, control_period: float) -> BodyConfig:
        """Return the settings of a body that is updated every `control_period` s."""
        arm = replace(
            ArmConfig(),
            start_tolerance=self.start_tolerance,
            path_tolerance=self.path_tolerance,
            goal_tolerance=self.goal_tolerance,
            goal_time_tolerance=self.goal_time_tolerance,
            stream_max_age=self.stream_max_age,
            stream_stop_time=self.stream_stop_time,
            stream_max_step=self.stream_max_step,
        )
        gripper = replace(
            GripperConfig(),
            stall_time=self.gripper_stall_time,
            timeout=self.gripper_timeout,
            max_effort=self.gripper_max_effort,
        )
        return BodyConfig(
            control_period=control_period, home_speed=self.home_speed, arm=arm, gripper=gripper
        )
