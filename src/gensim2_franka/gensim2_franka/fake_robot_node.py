"""Node `fake_robot`: a robot that speaks libfranka's network protocol, with faults on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gensim2_control.hardware import FINGER_MAX, HOME_Q
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from rclpy.node import Node

from gensim2_franka.errors import ERROR_NAMES
from gensim2_franka.fake_robot import FakeRobot, FakeRobotError


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
        "or the network is cut.",
        choices=("none", "user_stop", "network", *ERROR_NAMES),
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
        self._robot.run()
        self.get_logger().info(f"a fake robot listens at {own.robot_ip}")

    def close(self) -> None:
        """End it."""
        if self._robot is not None:
            self._robot.close()

    def _apply(self, wanted: FakeRobotParameters) -> None:
        robot = self._robot
        if robot is None:
            return
        robot.freeze(wanted.fault == "network")
        robot.press_user_stop(wanted.fault == "user_stop")
        if wanted.fault in ERROR_NAMES:
            robot.reflex(wanted.fault)
        robot.place_object(wanted.object_position if wanted.object_position >= 0 else None)
