"""Node `fake_robot`: a robot that speaks libfranka's network protocol, with faults on demand."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass

import rclpy
from gensim2_control.hardware import FINGER_MAX, HOME_Q
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from rclpy.node import Node

from gensim2_franka.errors import ERROR_NAMES
from gensim2_franka.fake_robot import FakeRobot, FakeRobotError

_PATIENCE = 3.0
"""What a client that controls the arm is given at the end, s; one that has died would stay."""


@dataclass(frozen=True)
class FakeRobotParameters:
    """Settings of the fake robot."""

    robot_ip: str = parameter("127.0.0.1", "Address of this machine to listen at.")
    q: tuple[float, ...] = parameter(HOME_Q, "Arm configuration at start, rad.")
    longest_silence: float = parameter(
        0.1,
        "Time without a command after which the robot stops, s; the real one stops after 0.02.",
        low=0.005,
        high=10.0,
    )
    object_position: float = parameter(
        -1.0,
        "Finger joint position at which an object stops the fingers, m; negative = none.",
        low=-1.0,
        high=FINGER_MAX,
        read_only=False,
    )
    fault: str = parameter(
        "none",
        "What is wrong: one of libfranka's errors (joint_reflex, ...), the user stop is pressed, "
        "the network is cut, or the hand falls silent.",
        choices=("none", "user_stop", "network", "hand", *ERROR_NAMES),
        read_only=False,
    )

    def check(self) -> None:
        """Raise `ValueError` where `q` is no arm configuration."""
        if len(self.q) != len(HOME_Q):
            raise ValueError(f"q must hold {len(HOME_Q)} angles, got {len(self.q)}")


class FakeRobotNode(Node):
    """Runs a `FakeRobot`, in real time."""

    def __init__(self) -> None:
        super().__init__("fake_robot")
        self.exit_code = 0
        self._robot: FakeRobot | None = None
        self._own = declare_parameters(self, FakeRobotParameters, self._apply)

    def start(self, ended: Callable[[], bool]) -> None:
        """Open the ports and let time pass."""
        own = self._own.value
        try:
            self._robot = FakeRobot(own.robot_ip, own.q, longest_silence=own.longest_silence)
        except FakeRobotError as error:
            raise StartError(str(error)) from None
        self._apply(own)
        self._robot.run(self._on_failure)
        self.get_logger().info(f"a fake robot listens at {own.robot_ip}")

    def close(self) -> None:
        """End it once nobody controls the arm: a launch that ends does not take a robot with it.

        Else the driver, which is ended at the same time, could not bring the arm to rest.
        """
        if self._robot is not None:
            if not self.exit_code:
                self._robot.wait_until_left(_PATIENCE)
            self._robot.close()

    def _on_failure(self, error: BaseException) -> None:
        traceback.print_exception(error)
        self.exit_code = 1
        rclpy.try_shutdown()

    def _apply(self, wanted: FakeRobotParameters) -> None:
        robot = self._robot
        if robot is None:
            return
        robot.freeze(wanted.fault == "network")
        robot.silence_hand(wanted.fault == "hand")
        robot.press_user_stop(wanted.fault == "user_stop")
        if wanted.fault in ERROR_NAMES:
            robot.reflex(wanted.fault)
        robot.place_object(wanted.object_position if wanted.object_position >= 0 else None)
