"""Node `mock_robot`: the body contract over `MockHardware`, in real time, with faults on demand."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import rclpy
from rclpy.node import Node

from gensim2_control.body import Body
from gensim2_control.control_thread import ControlThread
from gensim2_control.description import robot_description
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.mock_hardware import MockHardware
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.body_parameters import BodyParameters
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.run import run_node

_LONGEST_STEP = 0.02


@dataclass(frozen=True)
class MockRobotParameters:
    """Settings of the mock robot."""

    control_rate: float = parameter(200.0, "Control periods per second.", low=20.0, high=1000.0)
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
        choices=("none", "reflex", "user_stop", "comm_lost", "nan", "frozen_clock"),
        read_only=False,
    )


class MockRobotNode(Node):
    """Hosts a `MockHardware` behind the body contract."""

    def __init__(self) -> None:
        super().__init__("mock_robot")
        self.exit_code = 0
        own = declare_parameters(self, MockRobotParameters, self._apply).value
        parameters = declare_parameters(self, BodyParameters).value
        period = 1.0 / own.control_rate
        self._hardware = MockHardware(t=time.time(), lag=own.lag)
        self._hardware.connect()
        self._apply(own)
        self._body = Body(
            self._hardware,
            parameters.limits(),
            parameters.config(period),
            kinematics=Fr3Kinematics.from_urdf(robot_description(own.urdf or None)),
            workspace=parameters.workspace(),
        )
        self._interface = BodyInterface(self, self._body, parameters, hardware_id="mock")
        self._thread = ControlThread(period, self._tick, self._on_failure)
        self._thread.start()
        self.get_logger().info("ready")

    def close(self) -> None:
        """Bring the arm to rest, end all goals and stop the control loop."""
        self._interface.close()
        self._thread.stop()
        self._hardware.disconnect()

    def _tick(self, elapsed: float) -> None:
        # After a stall of this machine the mock's own clock goes on where it was.
        self._hardware.step(min(elapsed, _LONGEST_STEP))
        self._interface.publish(self._body.update())

    def _on_failure(self, error: BaseException) -> None:
        self.get_logger().fatal(f"the control loop failed: {error!r}")
        self.exit_code = 1
        rclpy.try_shutdown()

    def _apply(self, wanted: MockRobotParameters) -> None:
        """Carry the faults over to the hardware."""
        hardware = self._hardware
        hardware.set_user_stop(wanted.fault == "user_stop")
        hardware.set_comm_lost(wanted.fault == "comm_lost")
        hardware.set_nan(wanted.fault == "nan")
        hardware.set_clock_frozen(wanted.fault == "frozen_clock")
        if wanted.fault == "reflex":
            hardware.inject_reflex()
        for joint in range(7):
            hardware.block_joint(joint, joint == wanted.blocked_joint - 1)
        hardware.place_object(wanted.object_position if wanted.object_position >= 0 else None)


def main() -> int:
    """Run the node."""
    return run_node(MockRobotNode)


if __name__ == "__main__":
    sys.exit(main())
