"""Opens the connection to a robot, and says what to do where that fails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim2_control.hardware import Array, HardwareError
from gensim2_control.kinematics import TCP_LINK, Fr3Kinematics

from gensim2_franka.answering import answered
from gensim2_franka.library import franky
from gensim2_franka.settings import FrankaSettings

_RETRY = 0.5
_RT_FILE = Path("/sys/kernel/realtime")


def has_realtime_kernel(file: Path = _RT_FILE) -> bool:
    """Tell whether the running kernel is one with PREEMPT_RT, as libfranka asks for."""
    try:
        return file.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return " PREEMPT_RT " in f" {os.uname().version} "


def require_realtime(allow_non_rt: bool, realtime: bool) -> None:
    """Raise `HardwareError` where the kernel is not real-time and nobody allowed that."""
    if not realtime and not allow_non_rt:
        raise HardwareError(
            "this kernel is not real-time: the robot would stop with "
            "communication_constraints_violation. Install one with PREEMPT_RT, or say "
            "allow_non_rt:=true to try without"
        )


def open_robot(settings: FrankaSettings, given_up: Callable[[], bool]) -> franky.Robot:
    """Connect, and set thresholds, load and tool.

    Args:
        settings: of the robot.
        given_up: tells whether to stop trying.

    Raises:
        HardwareError: there is no connection, or the robot refuses a setting.
        KeyboardInterrupt: it was given up.
    """
    require_realtime(settings.allow_non_rt, has_realtime_kernel())
    # Enforced, libfranka refuses such a kernel as well where this user may not have priority.
    config = (
        franky.RealtimeConfig.Ignore if settings.allow_non_rt else franky.RealtimeConfig.Enforce
    )
    deadline = time.monotonic() + settings.connect_timeout
    while True:
        try:
            robot = answered(
                lambda: franky.Robot(settings.robot_ip, realtime_config=config),
                f"the robot at {settings.robot_ip}",
                given_up,
            )
            break
        except franky.IncompatibleVersionException as error:
            raise HardwareError(explain_version(str(error), settings.robot_ip)) from None
        except franky.NetworkException as error:
            if given_up():
                raise KeyboardInterrupt from None
            if time.monotonic() > deadline:
                raise HardwareError(
                    f"no connection to the robot at {settings.robot_ip} within "
                    f"{settings.connect_timeout:g} s ({error}). Is it switched on, are the joints "
                    "unlocked, is FCI active in Desk, and is no other program connected?"
                ) from None
            time.sleep(_RETRY)
        except franky.RealtimeException as error:
            raise HardwareError(
                f"no real-time priority: {error}. Give this user rtprio 99 and memlock in "
                "/etc/security/limits.conf, log in again, or say allow_non_rt:=true"
            ) from None
    try:
        robot.set_collision_behavior(
            list(settings.contact_torque),
            list(settings.collision_torque),
            list(settings.contact_force),
            list(settings.collision_force),
        )
        robot.set_load(settings.load_mass, list(settings.load_com), list(settings.load_inertia))
        robot.set_ee(list(settings.T_ne_ee))
    except (franky.CommandException, franky.NetworkException) as error:
        raise HardwareError(f"the robot refused a setting: {error}") from None
    return robot


def explain_version(text: str, robot_ip: str) -> str:
    """Say what to do where libfranka and the robot's system do not understand each other."""
    return (
        f"the robot at {robot_ip} speaks another version of the control interface ({text}). "
        "The wheel franky-control brings the libfranka of the newest system image; either update "
        "the robot, or install the franky build for its image (the release page of franky lists "
        "one per server version; the README of gensim2_franka says which fits)"
    )


def require_tcp(T_base_ee: Array, q: Array, kinematics: Fr3Kinematics, tolerance: float) -> None:
    """Check that the robot's own TCP is that of the description.

    Args:
        T_base_ee: pose of the end effector as the robot reports it (4, 4).
        q: arm configuration at that moment (7,), rad.
        kinematics: of the description.
        tolerance: largest distance, m.

    Raises:
        HardwareError: they differ; plans would miss by as much.
    """
    p_expected = kinematics.fk(q, TCP_LINK)[:3, 3]
    off = float(np.linalg.norm(T_base_ee[:3, 3] - p_expected))
    if off > tolerance:
        raise HardwareError(
            f"the robot's TCP is {off * 1e3:.1f} mm away from that of the robot description: "
            "select the Franka Hand as end effector in Desk, or set the parameter T_ne_ee"
        )
