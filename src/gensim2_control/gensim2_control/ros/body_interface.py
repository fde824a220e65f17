"""The ROS side of the body contract, the same for every hardware.

The host owns the control loop. Each period it calls `body.update()` and hands the state to
`publish`. Nothing here waits for ROS time, so the host may run in real time, faster, or let
simulated time stand still while the body is not busy.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from gensim2_control.body import Body
from gensim2_control.body_state import BodyState
from gensim2_control.goals import GoalRejected
from gensim2_control.hardware import Fault
from gensim2_control.report import Level, Report
from gensim2_control.ros.arm_server import ArmServer
from gensim2_control.ros.body_parameters import BodyParameters
from gensim2_control.ros.gripper_server import GripperServer
from gensim2_control.ros.heartbeat import HeartbeatMonitor
from gensim2_control.ros.rivals import Rivals
from gensim2_control.ros.state_publisher import StatePublisher

CONDITION_PERIOD = 1.0
"""Time between two messages of robot status, and looks for another host, s of wall time."""
_INACTIVE = "the node is inactive: activate it (ros2 lifecycle set NODE activate)"
_UNCONFIRMED = (
    "an operator has to confirm the first motion: see that the workspace is clear, then call "
    "robot/confirm"
)
_RECOVERY_TIMEOUT = 10.0
_POLL = 0.05
_LOOP_TIMEOUT = 0.5
"""Wall time without `publish` after which the host's loop counts as ended, s."""
_REST_TIMEOUT = 5.0
"""Longest wait for the robot to come to rest at shutdown, s."""


class BodyInterface:
    """Offers topics, services and actions of the body contract on a node."""

    def __init__(
        self, node: Node, body: Body, parameters: BodyParameters, on_change: Callable[[], None]
    ) -> None:
        """Create everything; goals are accepted after `activate` and the first `publish`.

        Args:
            node: the host's node, spun by an executor with several threads.
            body: the controllers.
            parameters: rates and time limits.
            on_change: called when `report` may say something else than before.
        """
        self._node = node
        self._body = body
        self._inactive = _INACTIVE
        self._rivals = Rivals(node)
        self._rivalry = ""
        self._fault = Fault.NONE
        self._unconfirmed = _UNCONFIRMED if parameters.confirm else ""
        self._closed = threading.Event()
        self._published = threading.Event()
        self._publisher = StatePublisher(
            node, parameters.joint_state_rate, parameters.controller_state_rate, on_change
        )
        body.require(self._refusal)
        self._heartbeat = HeartbeatMonitor(
            node, lambda: body.busy, self._on_heartbeat_lost, parameters.heartbeat_timeout
        )
        if parameters.heartbeat_required:
            body.require(self._require_heartbeat)
        self._arm = ArmServer(node, body, self._publisher, parameters.stamp_tolerance)
        self._gripper = GripperServer(node, body, self._publisher)
        # Each service has a thread of its own: a stop never queues behind a recovery.
        self._services = [
            node.create_service(
                Trigger, name, callback, callback_group=MutuallyExclusiveCallbackGroup()
            )
            for name, callback in (
                ("robot/stop", self._on_stop),
                ("robot/recover", self._on_recover),
                ("robot/home", self._on_home),
                ("robot/confirm", self._on_confirm),
            )
        ]
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(
            CONDITION_PERIOD,
            self._on_timer,
            callback_group=MutuallyExclusiveCallbackGroup(),
            clock=self._clock,
        )

    def publish(self, state: BodyState | None) -> None:
        """Publish what is due after an update. Called by the host, once per control period.

        Joint and controller states follow the time of the measurement; while that stands still
        they are silent (see `republish`). A change of the robot's condition goes out at once.
        """
        self._publisher.publish(state)
        if state is not None and state.error_code is not self._fault:
            self._fault = state.error_code
            if self._fault not in (Fault.NONE, Fault.STOP_REQUESTED):
                text = f"stopped by {self._fault.name}: {state.reason}"
                self._node.get_logger().error(f"{text}. Mend the cause, then call robot/recover.")
        self._published.set()

    def republish(self, state: BodyState) -> None:
        """Publish a joint state again, with its old stamp, for those who came late."""
        self._publisher.publish_joints(state)

    def report(self) -> Report:
        """Return what diagnostics say of the body."""
        if self._inactive:
            return Report(Level.WARN, self._inactive)
        return self._publisher.report(self._body.state)

    def activate(self) -> None:
        """Accept goals; call it before the host's control loop starts."""
        self._body.reseed()
        self._closed.clear()
        self._inactive = ""
        self._publisher.refusal = self._refusal()
        if self._unconfirmed:
            self._node.get_logger().warning(f"no goals are accepted: {self._unconfirmed}")

    def deactivate(self) -> None:
        """Bring the robot to rest, end all goals, tell their clients, and refuse new ones.

        Call it while the host's control loop still runs. Faults stay as they are.
        """
        self._inactive = self._publisher.refusal = _INACTIVE
        self._body.close(_INACTIVE)
        self._end(lambda: not self._body.busy, _INACTIVE)
        self._tell()

    def close(self, reason: str = "the node is shut down") -> None:
        """Bring the robot to rest for good, end all goals and tell their clients.

        Call it while the host's control loop and the executor still run; where the loop is
        silent it does not wait for a rest that nobody brings about.
        """
        self._body.stop(reason)

        def at_rest() -> bool:
            state = self._body.state
            return state is None or not (state.busy or state.motion_possible)

        self._end(at_rest, reason)

    def _end(self, at_rest: Callable[[], bool], reason: str) -> None:
        for _ in range(int(_REST_TIMEOUT / _POLL)):
            self._published.clear()
            if at_rest() or not self._published.wait(_LOOP_TIMEOUT):
                break
        self._closed.set()
        self._body.close(reason)
        self._arm.drain()
        self._gripper.drain()

    def _refusal(self) -> str:
        return self._inactive or self._rivalry or self._unconfirmed

    def _on_timer(self) -> None:
        rivalry = self._rivals.describe(own=1)
        if rivalry != self._rivalry:
            self._rivalry = rivalry
            if rivalry:
                self._node.get_logger().error(f"no goals are accepted: {rivalry}.")
                self._body.close(rivalry)
            else:
                self._node.get_logger().info("the other host has gone: goals are accepted again")
        self._tell()

    def _tell(self) -> None:
        self._publisher.refusal = self._refusal()
        # What was measured last says nothing about a robot that nobody looks after.
        self._publisher.publish_condition(None if self._inactive else self._body.state)

    def _on_heartbeat_lost(self, reason: str) -> None:
        self._body.heartbeat_lost(reason)

    def _require_heartbeat(self) -> str:
        return "" if self._heartbeat.alive else "no client_heartbeat is alive; send one with goals"

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._body.stop("robot/stop was called")
        response.success = True
        response.message = "stopping; robot/recover releases the robot"
        return response

    def _on_recover(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._inactive:
            response.message = self._inactive
            return response
        answer = self._body.recover()
        response.success, response.message = answer.ok, answer.text
        if answer.ok and not self._wait_for_motion_possible():
            state = self._body.state
            reason = state.reason if state is not None else "no measurement"
            response.success = False
            response.message = f"the robot is not ready: {reason}"
        return response

    def _on_confirm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = True
        response.message = "confirmed" if self._unconfirmed else "nothing to confirm"
        self._unconfirmed = ""
        self._tell()
        return response

    def _on_home(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            goal = self._body.home()
        except GoalRejected as rejection:
            response.message = str(rejection)
            return response
        goal.wait()
        if goal.result is not None:
            response.success = goal.result.succeeded
            response.message = goal.result.text or "home"
        return response

    def _wait_for_motion_possible(self) -> bool:
        """Wait for the host's next updates; they take the recovery over."""
        for _ in range(int(_RECOVERY_TIMEOUT / _POLL)):
            if self._body.motion_possible:
                return True
            if self._closed.wait(_POLL):
                return False
        return False
