"""How the robot is driven: gains, thresholds, load and tool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IDENTITY: tuple[float, ...] = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
"""A 4x4 transform in columns, as libfranka writes them."""


@dataclass(frozen=True)
class FrankaSettings:
    """Settings of `FrankyHardware`, set on the robot at every connection.

    Attributes:
        robot_ip: address of the robot's control interface.
        allow_non_rt: go on without a real-time kernel.
        stiffness: of the joint impedance (7,), N m/rad.
        damping: of the joint impedance (7,), N m s/rad.
        contact_torque: external joint torque that counts as contact (7,), N m.
        collision_torque: external joint torque that stops the robot (7,), N m.
        contact_force: external force and torque at the hand that count as contact (6,), N, N m.
        collision_force: external force and torque that stop the robot (6,), N, N m.
        load_mass: mass of what is mounted at the flange beside the hand, kg.
        load_com: its centre of mass in the flange's frame, m.
        load_inertia: its inertia about that centre, in columns (9,), kg m^2.
        T_ne_ee: end effector in the frame that the robot's own settings call nominal, columns.
        tcp_tolerance: largest distance of the robot's TCP to that of the description, m.
        command_age: time without a new reference after which its velocity no longer counts, s.
        hand_speed: speed of both fingers together, m/s.
        grasp_below: finger joint positions below this are grasps, others are moves, m.
        connect_timeout: how long to try to connect, s.
    """

    robot_ip: str
    allow_non_rt: bool = False
    stiffness: tuple[float, ...] = (600.0, 600.0, 600.0, 600.0, 250.0, 150.0, 50.0)
    damping: tuple[float, ...] = (50.0, 50.0, 50.0, 50.0, 30.0, 25.0, 15.0)
    contact_torque: tuple[float, ...] = (20.0, 20.0, 18.0, 18.0, 16.0, 14.0, 12.0)
    collision_torque: tuple[float, ...] = (35.0, 35.0, 33.0, 33.0, 28.0, 26.0, 24.0)
    contact_force: tuple[float, ...] = (20.0, 20.0, 20.0, 25.0, 25.0, 25.0)
    collision_force: tuple[float, ...] = (40.0, 40.0, 40.0, 40.0, 40.0, 40.0)
    load_mass: float = 0.0
    load_com: tuple[float, ...] = (0.0, 0.0, 0.0)
    load_inertia: tuple[float, ...] = (0.0,) * 9
    T_ne_ee: tuple[float, ...] = IDENTITY
    tcp_tolerance: float = 0.002
    command_age: float = 0.2
    hand_speed: float = 0.1
    grasp_below: float = 0.001
    connect_timeout: float = 10.0

    def __post_init__(self) -> None:
        sizes = {
            "stiffness": 7,
            "damping": 7,
            "contact_torque": 7,
            "collision_torque": 7,
            "contact_force": 6,
            "collision_force": 6,
            "load_com": 3,
            "load_inertia": 9,
            "T_ne_ee": 16,
        }
        for name, size in sizes.items():
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if value.shape != (size,) or not np.isfinite(value).all():
                raise ValueError(f"{name} must hold {size} finite numbers, got {value.tolist()}")
        for name in ("stiffness", "damping", "contact_torque", "contact_force"):
            if min(getattr(self, name)) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        for kind in ("torque", "force"):
            contact, collision = (
                getattr(self, f"contact_{kind}"),
                getattr(self, f"collision_{kind}"),
            )
            if any(low > high for low, high in zip(contact, collision, strict=True)):
                raise ValueError(f"collision_{kind} must not be below contact_{kind}")
        if not self.robot_ip:
            raise ValueError("robot_ip is empty: name the address of the robot's control interface")
