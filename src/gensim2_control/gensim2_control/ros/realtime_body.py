"""A body over hardware that has a clock of its own: a thread updates it in real time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from gensim2_control.body import Body
from gensim2_control.control_thread import ControlThread
from gensim2_control.description import DescriptionError, robot_description
from gensim2_control.hardware import RobotHardware
from gensim2_control.kinematics import Fr3Kinematics
from gensim2_control.report import Report
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.hosted_body import BodyHost
from gensim2_control.ros.start_error import StartError


def read_kinematics(urdf: str) -> Fr3Kinematics:
    """Read the arm from a URDF file; empty = the installed robot description.

    Raises:
        StartError: there is none, or it is not that of the robot.
    """
    try:
        return Fr3Kinematics.from_urdf(robot_description(urdf or None))
    except DescriptionError as error:
        raise StartError(str(error)) from None


class RealtimeBody(ABC):
    """The part of a `HostedBody` that does not depend on the hardware."""

    def __init__(
        self,
        node: BodyHost,
        hardware: RobotHardware,
        kinematics: Fr3Kinematics,
        period: float,
        on_failure: Callable[[BaseException], None],
        priority: int = 0,
    ) -> None:
        """Make the body.

        Args:
            node: what offers it.
            hardware: connected.
            kinematics: of the arm.
            period: time between two updates, s.
            on_failure: called where the control loop fails.
            priority: real-time priority of the control loop, where this user may have it.
        """
        parameters = node.parameters
        self._node = node
        self._body = Body(
            hardware,
            parameters.limits(),
            parameters.config(period),
            kinematics=kinematics,
            workspace=parameters.workspace(),
        )
        self._disconnect = hardware.disconnect
        self._make_thread = lambda: ControlThread(period, self._tick, on_failure, priority)
        self._thread: ControlThread | None = None

    def offer(self) -> BodyInterface:
        """Create the ROS side of the body contract."""
        node = self._node
        self._interface = BodyInterface(node, self._body, node.parameters, node.diagnostics.changed)
        return self._interface

    def start(self) -> None:
        """Start the control loop."""
        self._thread = self._make_thread()
        self._thread.start()

    def stop(self, rest: Callable[[], None]) -> None:
        """Bring the arm to rest and end the control loop."""
        rest()
        if self._thread is not None:
            self._thread.stop()

    def discard(self) -> None:
        """Disconnect."""
        self._disconnect()

    def reports(self) -> Mapping[str, Report]:
        """Nothing beside the body."""
        return {}

    @abstractmethod
    def _tick(self, elapsed: float) -> None:
        """Update the body and publish; `elapsed` s have passed since the call before."""
