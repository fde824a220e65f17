"""Settings of the controllers. Hosts fill them from parameters; the defaults fit the FR3."""

from __future__ import annotations

from dataclasses import dataclass, field

from gensim2_control.hardware import HOME_Q


@dataclass(frozen=True)
class ArmConfig:
    """Settings of the arm controller.

    Attributes:
        start_tolerance: how far the first point may be from the present position, rad.
        start_velocity_tolerance: how far its velocity may be from the present one, rad/s.
        path_tolerance: allowed |q - q_ref| on the way, rad; negative = unlimited.
        goal_tolerance: allowed |q - q_ref| at the end, rad; negative = unlimited.
        goal_velocity_tolerance: speed below which a joint has arrived, rad/s.
        goal_time_tolerance: time after the time law to meet `goal_tolerance`, s.
        blend_time: shortest time over which a difference at the start is worked off, s.
        stream_max_age: oldest stamp of a streamed chunk, s; also how far it may lie ahead.
        stream_max_duration: longest streamed chunk, s: what a hung client still moves.
        stream_stop_time: longest deceleration of a stream, s: none is faster than this allows.
        stream_lead: points of a chunk sooner than this are skipped, s.
        stream_max_step: how far a joint may move from the reference to the first point of a
            chunk that is not skipped, and from one point to the next, rad.
    """

    start_tolerance: float = 0.01
    start_velocity_tolerance: float = 0.05
    path_tolerance: float = -1.0
    goal_tolerance: float = 0.02
    goal_velocity_tolerance: float = 0.05
    goal_time_tolerance: float = 1.0
    blend_time: float = 0.25
    stream_max_age: float = 0.2
    stream_max_duration: float = 2.0
    stream_stop_time: float = 0.27
    stream_lead: float = 0.05
    stream_max_step: float = 0.5


@dataclass(frozen=True)
class GripperConfig:
    """Settings of the gripper controller.

    Attributes:
        goal_tolerance: allowed distance to the goal, m of finger joint.
        stall_speed: mean finger speed over the stall time below which the fingers stand, m/s.
        stall_time: how long they must stand short of the goal to count as stalled, s.
        response_time: time the fingers may take to start moving, s.
        timeout: longest motion, s.
        default_effort: force for goals that name none, N.
        max_effort: largest force that may be asked for, N.
    """

    goal_tolerance: float = 0.001
    stall_speed: float = 0.002
    stall_time: float = 0.2
    response_time: float = 0.1
    timeout: float = 5.0
    default_effort: float = 30.0
    max_effort: float = 70.0


@dataclass(frozen=True)
class BodyConfig:
    """Settings of the body.

    Attributes:
        control_period: nominal time between two updates, s; the body refuses one that is too
            short for the jerk limit.
        max_stale_updates: updates without a newer measurement, while the arm moves, that
            count as a frozen clock; 0 = never.
        max_sample_gap: longest time between two measurements while the arm moves, s.
        home_q: arm configuration of `home()`, rad.
        home_speed: share of the speed limits that `home()` uses.
        home_acceleration: share of the acceleration limits that `home()` uses.
        arm: settings of the arm controller.
        gripper: settings of the gripper controller.
    """

    control_period: float = 0.005
    max_stale_updates: int = 20
    max_sample_gap: float = 0.1
    home_q: tuple[float, ...] = HOME_Q
    home_speed: float = 0.3
    home_acceleration: float = 0.2
    arm: ArmConfig = field(default_factory=ArmConfig)
    gripper: GripperConfig = field(default_factory=GripperConfig)
