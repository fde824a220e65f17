"""Node `mock_robot`: the body contract over `MockHardware`, in real time, with faults on demand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gensim2_control.mock_hardware import MockHardware
from gensim2_control.ros.hosted_body import BodyHost
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.realtime_body import RealtimeBody, read_kinematics

_LONGEST_STEP = 0.02


@dataclass(frozen=True)
class MockRobotParameters:
    """Settings of the mock robot."""

    control_rate: float = parameter(
        200.0,
        "Control periods per second; more could exceed the jerk limit.",
        low=20.0,
        high=250.0,
    )
    urdf: str = parameter("", "URDF file; empty = the installed robot description.")
    lag: float = parameter(0.01, "Time constant of the tracking, s.", low=0.0, high=1.0)
    object_position: float = parameter(
        -1.0,
        "Finger joint position at which an object stops the fingers, m; negative = none.",
        low=-1.0,
        high=0.04,
        read_only=False,
    )
    blocked_joint: int = parameter(
        0, "Arm joint that does not move, 1 to 7; 0 = none.", low=0, high=7, read_only=False
    )
    fault: str = parameter(
        "none",
        "Fault of the hardware.",
        choices=("none", "reflex", "user_stop", "comm_lost", "nan", "frozen_clock", "drives_off"),
        read_only=False,
    )


class MockRobot(RealtimeBody):
    """A body over a `MockHardware`, stepped in real time."""

    def __init__(
        self, node: BodyHost, own: MockRobotParameters, on_failure: Callable[[BaseException], None]
    ) -> None:
        """Make and connect the hardware.

        Args:
            node: what offers it.
            own: its settings.
            on_failure: called where the control loop fails.

        Raises:
            StartError: there is no robot description.
        """
        kinematics = read_kinematics(own.urdf)
        self.hardware = MockHardware(t=time.time(), lag=own.lag)
        self.hardware.connect()
        super().__init__(node, self.hardware, kinematics, 1.0 / own.control_rate, on_failure)
        self.apply(own)

    def apply(self, wanted: MockRobotParameters) -> None:
        """Carry the faults over to the hardware."""
        hardware = self.hardware
        hardware.set_user_stop(wanted.fault == "user_stop")
        hardware.set_comm_lost(wanted.fault == "comm_lost")
        hardware.set_nan(wanted.fault == "nan")
        hardware.set_clock_frozen(wanted.fault == "frozen_clock")
        hardware.set_drives_off(wanted.fault == "drives_off")
        if wanted.fault == "reflex":
            hardware.inject_reflex()
        for joint in range(7):
            hardware.block_joint(joint, joint == wanted.blocked_joint - 1)
        hardware.place_object(wanted.object_position if wanted.object_position >= 0 else None)

    def _tick(self, elapsed: float) -> None:
        # After a stall of this machine the mock's own clock goes on where it was.
        self.hardware.step(min(elapsed, _LONGEST_STEP))
        self._interface.publish(self._body.update())


class MockRobotNode(BodyHost):
    """Hosts a `MockRobot`."""

    def __init__(self) -> None:
        super().__init__("mock_robot", hardware_id="mock")
        self._robot: MockRobot | None = None
        self._own = declare_parameters(self, MockRobotParameters, self._apply)

    def build(self) -> MockRobot:
        """Make the robot."""
        self._robot = MockRobot(
            self, self._own.value, lambda error: self.fail("the control loop", error)
        )
        return self._robot

    def _apply(self, wanted: MockRobotParameters) -> None:
        if self._robot is not None:
            self._robot.apply(wanted)
