"""Parameters of `franka_driver` beside those of every body."""

from __future__ import annotations

from dataclasses import dataclass, fields

from gensim2_control.ros.parameters import parameter

from gensim2_franka.settings import FrankaSettings

_USUAL = FrankaSettings(robot_ip="unused")


@dataclass(frozen=True)
class DriverParameters:
    """How the robot is reached and driven. Read at start, and set on the robot at connection."""

    robot_ip: str = parameter("", "Address of the robot's control interface (FCI).")
    allow_non_rt: bool = parameter(False, "Go on without a real-time kernel.")
    control_rate: float = parameter(
        200.0,
        "References per second; more could exceed the jerk limit. libfranka's own loop has 1000.",
        low=50.0,
        high=250.0,
    )
    realtime_priority: int = parameter(
        50,
        "Priority of the control thread, where this user may have it (rtprio); 0 = none.",
        low=0,
        high=99,
    )
    franka_state_rate: float = parameter(30.0, "Rate of franka_state, Hz.", low=1.0, high=200.0)
    urdf: str = parameter("", "URDF file; empty = the installed robot description.")
    stiffness: tuple[float, ...] = parameter(
        _USUAL.stiffness, "Stiffness of the joint impedance, N m/rad, of joints 1 to 7."
    )
    damping: tuple[float, ...] = parameter(
        _USUAL.damping, "Damping of the joint impedance, N m s/rad, of joints 1 to 7."
    )
    contact_torque: tuple[float, ...] = parameter(
        _USUAL.contact_torque, "External joint torque that counts as contact, N m."
    )
    collision_torque: tuple[float, ...] = parameter(
        _USUAL.collision_torque, "External joint torque that stops the robot, N m."
    )
    contact_force: tuple[float, ...] = parameter(
        _USUAL.contact_force, "External force, N, and torque, N m, that count as contact."
    )
    collision_force: tuple[float, ...] = parameter(
        _USUAL.collision_force, "External force, N, and torque, N m, that stop the robot."
    )
    load_mass: float = parameter(
        0.0, "Mass of what the hand carries besides itself, kg.", low=0.0, high=3.0
    )
    load_com: tuple[float, ...] = parameter(
        _USUAL.load_com, "Its centre of mass in the frame of the flange, m."
    )
    load_inertia: tuple[float, ...] = parameter(
        _USUAL.load_inertia, "Its inertia about that centre, kg m^2, column by column."
    )
    T_ne_ee: tuple[float, ...] = parameter(
        _USUAL.T_ne_ee, "End effector in the nominal end effector frame, column by column."
    )
    tcp_tolerance: float = parameter(
        _USUAL.tcp_tolerance,
        "Allowed distance of the robot's TCP to that of the description, m.",
        low=1e-4,
        high=1.0,
    )
    command_age: float = parameter(
        _USUAL.command_age,
        "Time without a reference after which the arm holds, s.",
        low=0.02,
        high=1.0,
    )
    hand_speed: float = parameter(
        _USUAL.hand_speed, "Speed of the fingers against each other, m/s.", low=0.01, high=0.2
    )
    connect_timeout: float = parameter(
        _USUAL.connect_timeout, "How long to try to connect, s.", low=0.0, high=600.0
    )
    success_rate_warning: float = parameter(
        0.98,
        "Share of the control commands that arrive below which diagnostics warn.",
        low=0.0,
        high=1.0,
    )

    def check(self) -> None:
        """Raise `ValueError` where the robot would refuse a setting."""
        self.settings()

    def settings(self) -> FrankaSettings:
        """Return what the hardware is made with."""
        names = {field.name for field in fields(FrankaSettings)}
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return FrankaSettings(**{name: value for name, value in own.items() if name in names})
