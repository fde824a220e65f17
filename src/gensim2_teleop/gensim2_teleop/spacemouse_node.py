"""Program `spacemouse`: twists of a 3Dconnexion SpaceMouse; its first button moves the fingers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gensim2_control.hardware import FINGER_MAX
from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.start_error import StartError
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from .spacemouse import twist_of
from .twist_input import BASE
from .twist_publisher_node import TwistPublisher

_LIBRARY = "pyspacemouse"
_MISSING = (
    "the library of the SpaceMouse is missing: ./ws python -m pip install pyspacemouse==2.1.0 "
    "and apt install libhidapi-hidraw0. Any other source of geometry_msgs/TwistStamped on "
    "teleop/twist does as well"
)


@dataclass(frozen=True)
class SpaceMouseParameters:
    """How fast a cap at its end is."""

    linear_speed: float = parameter(0.12, "At the end of the way, m/s.", low=0.001, high=1.0)
    angular_speed: float = parameter(0.5, "At the end of the turn, rad/s.", low=0.01, high=2.5)
    dead_band: float = parameter(0.1, "Share of the way that does not count.", low=0.0, high=0.9)
    rate: float = parameter(50.0, "Twists per second.", low=10.0, high=100.0)


class SpaceMouseNode(Node):
    """Reads the device, and publishes twists."""

    def __init__(self) -> None:
        super().__init__("spacemouse")
        self._own = declare_parameters(self, SpaceMouseParameters).value
        self._device: Any = None
        self._pressed = False
        self._open = True
        self._twists = TwistPublisher(self)
        self._diagnostics = NodeDiagnostics(self, self._report)

    def start(self, ended: Callable[[], bool]) -> None:
        """Open the device.

        Raises:
            StartError: there is none, or not its library.
        """
        try:
            library = importlib.import_module(_LIBRARY)
            convention = importlib.import_module(f"{_LIBRARY}.types").AxisConvention.ROS
        except ImportError:
            raise StartError(_MISSING) from None
        try:
            self._device = library.open(axis_convention=convention)
        except (RuntimeError, OSError) as error:
            raise StartError(
                f"{error} Is it plugged in, and may this user read it? See docs/sim2real.md"
            ) from None
        self.get_logger().info(f"{self._device.name} drives")
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(1.0 / self._own.rate, self._publish, clock=clock)

    def close(self) -> None:
        """Give the device back."""
        if self._device is not None:
            self._device.close()

    def _publish(self) -> None:
        own, state = self._own, self._device.read()
        twist = twist_of(state, own.linear_speed, own.angular_speed, own.dead_band)
        self._twists.move(twist, BASE)
        pressed = bool(state.buttons and state.buttons[0])
        if pressed and not self._pressed:
            self._open = not self._open
            self._twists.fingers(FINGER_MAX if self._open else 0.0)
        self._pressed = pressed

    def _report(self) -> dict[str, Report]:
        if self._device is None or not self._device.connected:
            return {"spacemouse": Report(Level.ERROR, "not connected")}
        return {"spacemouse": Report(Level.OK, str(self._device.name))}
