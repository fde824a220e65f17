"""Node `franka_driver`: the body contract over a Franka Research 3. Its twin is `sim_bridge`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gensim2_control.body_state import BodyState
from gensim2_control.goals import GoalRejected
from gensim2_control.hardware import HardwareError
from gensim2_control.report import Level, Report
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.hosted_body import BodyHost
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.realtime_body import RealtimeBody, read_kinematics
from gensim2_control.ros.start_error import StartError
from gensim2_control.ros.state_publisher import Due
from rclpy.service import Service
from std_srvs.srv import Trigger

from gensim2_franka.connection import has_realtime_kernel
from gensim2_franka.driver_parameters_node import DriverParameters
from gensim2_franka.franky_hardware import FrankyHardware
from gensim2_franka.priority import raise_priority
from gensim2_franka.state_message_node import franka_state
from gensim2_msgs.msg import FrankaState

_PRIORITY = 10
"""Real-time priority of everything in the driver; its control thread has a higher one."""


class FrankaRobot(RealtimeBody):
    """A body over `FrankyHardware`, updated in real time."""

    def __init__(
        self,
        node: BodyHost,
        own: DriverParameters,
        on_failure: Callable[[BaseException], None],
        ended: Callable[[], bool],
    ) -> None:
        """Connect to the robot.

        Args:
            node: what offers the body.
            own: settings of the driver.
            on_failure: called where the control loop fails.
            ended: tells whether the start is to be given up.

        Raises:
            StartError: there is no robot, or no robot description.
        """
        self._own = own
        kinematics = read_kinematics(own.urdf)
        self._base = kinematics.root
        self._realtime = has_realtime_kernel()
        clock = node.get_clock()
        self._hardware = FrankyHardware(
            own.settings(), kinematics, lambda: clock.now().nanoseconds * 1e-9
        )
        try:
            node.get_logger().info(f"connecting to the robot at {own.robot_ip} ...")
            self._hardware.connect(ended)
        except HardwareError as error:
            raise StartError(str(error)) from None
        period, priority = 1.0 / own.control_rate, own.realtime_priority
        super().__init__(node, self._hardware, kinematics, period, on_failure, priority)
        self._due = Due(own.franka_state_rate)

    def offer(self) -> BodyInterface:
        """Create the ROS side of the body contract, and what is the robot's own."""
        node = self._node
        self._states = node.create_publisher(FrankaState, "franka_driver/franka_state", 10)
        self._homing: Service = node.create_service(Trigger, "fr3_gripper/homing", self._on_homing)
        return super().offer()

    def start(self) -> None:
        """Start the control loop."""
        if self._own.realtime_priority and not raise_priority(_PRIORITY):
            self._node.get_logger().warning(
                "this user may not have real-time priority (rtprio in /etc/security/limits.conf): "
                "a busy machine can hold up the control loop"
            )
        super().start()

    def reports(self) -> Mapping[str, Report]:
        """Return what diagnostics say of the connection."""
        state, address = self._hardware.robot_state, self._own.robot_ip
        if state is None:
            return {"connection": Report(Level.ERROR, f"no connection to {address}")}
        rate = float(state.control_command_success_rate)
        moves = self._hardware.in_control
        low = moves and rate < self._own.success_rate_warning
        text = f"only {rate:.0%} of the control commands arrive" if low else "connected"
        values = {
            "robot_ip": address,
            "control_command_success_rate": f"{rate:.3f}",
            "mode": state.robot_mode.name,
            "realtime": self._realtime,
        }
        return {"connection": Report(Level.WARN if low else Level.OK, text, values)}

    def _tick(self, _: float) -> None:
        state = self._body.update()
        self._interface.publish(state)
        if state is not None and self._due.at(state.t):
            self._publish(state)

    def _publish(self, state: BodyState) -> None:
        arm = self._hardware.robot_state
        try:
            if arm is not None:
                hand = self._hardware.hand.state
                self._states.publish(franka_state(state.t, self._base, arm, hand))
        except HardwareError:
            return  # the body says so

    def _on_homing(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._body.check_ready()
        except GoalRejected as rejection:
            response.message = rejection.text
            return response
        self._hardware.hand.homing()
        response.success = True
        response.message = "homing; franka_state tells the largest width when it is done"
        return response


class FrankaDriverNode(BodyHost):
    """Hosts a `FrankaRobot`."""

    def __init__(self) -> None:
        super().__init__("franka_driver", hardware_id="franka")
        self._own = declare_parameters(self, DriverParameters).value

    def build(self) -> FrankaRobot:
        """Connect to the robot."""
        return FrankaRobot(
            self, self._own, lambda error: self.fail("the control loop", error), self.given_up
        )
