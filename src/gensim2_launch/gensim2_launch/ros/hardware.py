"""Decides what the launch files of the real robot leave open: `auto` becomes yes or no."""

from __future__ import annotations

from gensim2_launch.ros.arguments import (
    ALLOW_NON_RT,
    CONFIRM,
    ROBOT,
    ROBOT_IP,
    USE_FAKE_HARDWARE,
    USE_SIM_TIME,
)
from launch import LaunchContext

FAKE_ADDRESS = "127.0.0.1"
"""Where a fake robot listens unless `robot_ip` names another address of this machine."""


SIM, FAKE, REAL = "sim", "fake", "real"


def decide_robot(context: LaunchContext) -> None:
    """Settles which robot it is, and with it use_fake_hardware and use_sim_time.

    Raises:
        RuntimeError: robot, robot_ip and use_fake_hardware contradict each other.
    """
    given = context.launch_configurations
    robot, fake = given[ROBOT.name], given[USE_FAKE_HARDWARE.name]
    if robot == "auto":
        real = fake == "false" or (fake == "auto" and given[ROBOT_IP.name])
        robot = REAL if real else FAKE
    wanted = {SIM: "auto", FAKE: "true", REAL: "false"}[robot]
    if fake not in ("auto", wanted):
        raise RuntimeError(f"robot:={robot} and use_fake_hardware:={fake} contradict each other")
    if robot == SIM and given[ROBOT_IP.name]:
        raise RuntimeError("robot:=sim has no address: leave out robot_ip, or say robot:=real")
    given[ROBOT.name], given[USE_FAKE_HARDWARE.name] = robot, wanted
    given[USE_SIM_TIME.name] = "true" if robot == SIM else "false"


def decide_hardware(context: LaunchContext) -> None:
    """Settles robot_ip, use_fake_hardware, allow_non_rt and confirm.

    Raises:
        RuntimeError: they contradict each other.
    """
    given = context.launch_configurations
    fake = given[USE_FAKE_HARDWARE.name]
    if fake == "auto":
        fake = "false" if given[ROBOT_IP.name] else "true"
    if fake == "false" and not given[ROBOT_IP.name]:
        raise RuntimeError("use_fake_hardware:=false needs the address of a robot: robot_ip:=...")
    if fake == "true":
        address = given[ROBOT_IP.name] or FAKE_ADDRESS
        if not address.startswith("127."):
            raise RuntimeError(
                f"robot_ip:={address} is not an address of this machine, where fake hardware "
                "listens; leave it out, or say use_fake_hardware:=false"
            )
        given[ROBOT_IP.name] = address
        given[ALLOW_NON_RT.name] = "true"
    given[USE_FAKE_HARDWARE.name] = fake
    if given[CONFIRM.name] == "auto":
        given[CONFIRM.name] = "false" if fake == "true" else "true"
