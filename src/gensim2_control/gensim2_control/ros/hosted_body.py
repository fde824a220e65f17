"""What every node that hosts a body shares: its life.

`unconfigured` - configure -> `inactive` - activate -> `active`, and back by deactivate and
cleanup. With `autostart` the node makes the first two steps itself, as the nodes of nav2 do.
"""

from __future__ import annotations

import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import rclpy
from lifecycle_msgs.srv import ChangeState
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleNodeMixin, LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn as Result
from rclpy.node import Node

from gensim2_control.report import Level, Report
from gensim2_control.ros.body_interface import BodyInterface
from gensim2_control.ros.body_parameters import BodyParameters
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.entities import Entities
from gensim2_control.ros.parameters import ParameterError, declare_parameters
from gensim2_control.ros.rivals import Rivals
from gensim2_control.ros.start_error import StartError


class HostedBody(Protocol):
    """A world or hardware with a body over it. Made by `BodyHost.build`, without ROS entities."""

    def offer(self) -> BodyInterface:
        """Create the ROS entities; the host destroys them."""

    def start(self) -> None:
        """Start the control loop."""

    def stop(self, rest: Callable[[], None]) -> None:
        """Call `rest`, which brings the arm to rest, while the loop runs; then end the loop."""

    def discard(self) -> None:
        """Give up world or hardware; the loop has ended."""

    def reports(self) -> Mapping[str, Report]:
        """Return what diagnostics say beside the report on the body."""


class BodyHost(LifecycleNode, ABC):
    """A lifecycle node that owns one `HostedBody` from configure to cleanup.

    `run_node` runs it. Transitions never overlap; one that is not possible is refused.
    """

    def __init__(self, name: str, hardware_id: str) -> None:
        """Create the node, unconfigured.

        Args:
            name: name of the node.
            hardware_id: what diagnostics call the hardware.
        """
        # As the base class does, but for a callback group of its own for the transitions.
        Node.__init__(self, name)
        LifecycleNodeMixin.__init__(self, callback_group=ReentrantCallbackGroup())
        self.exit_code = 0
        self.parameters = declare_parameters(self, BodyParameters).value
        """Parameters of the body."""
        self.diagnostics = NodeDiagnostics(self, self._reports, hardware_id)
        self._rivals = Rivals(self)
        self._hosted: HostedBody | None = None
        self._interface: BodyInterface | None = None
        self._entities = Entities(self)
        self._active = False
        self._failure: Exception | None = None
        self._starting = False
        self._ended: Callable[[], bool] = lambda: False
        self._closing = threading.Event()
        self._transition = threading.RLock()
        self._change_state = self._service_change_state.callback
        self._service_change_state.callback = self._on_change_state

    @abstractmethod
    def build(self) -> HostedBody:
        """Make world or hardware and body.

        Raises:
            StartError: it cannot be made; the message says how to mend that.
        """

    def start(self, ended: Callable[[], bool]) -> None:
        """Make the first steps where `autostart` says so; called by `run_node`.

        Raises:
            StartError: the body cannot be made.
        """
        if not self.parameters.autostart:
            self.get_logger().info("unconfigured; waiting for a lifecycle manager")
            return
        self._ended, self._starting = ended, True
        for trigger in (self.trigger_configure, self.trigger_activate):
            with self._transition:
                result = trigger()
            if result is not Result.SUCCESS:
                raise self._failure or StartError(f"{self.get_name()}: the start has failed")
        self._starting = False

    def close(self) -> None:
        """Bring the arm to rest, end all goals and the control loop; called by `run_node`."""
        self._closing.set()
        with self._transition:
            self._end_loop()
            # What was offered goes with the node: the last messages are still on their way.
            if self._hosted is not None:
                self._hosted.discard()

    def given_up(self) -> bool:
        """Whether the operator wants the end; what takes long in `build` asks now and then."""
        return self._ended() or self._closing.is_set()

    def fail(self, what: str, error: BaseException) -> None:
        """End the process after a defect of the control loop; called in its thread."""
        self.get_logger().fatal(f"{what} failed: {error!r}")
        self.exit_code = 1
        rclpy.try_shutdown()

    def on_configure(self, state: LifecycleState) -> Result:
        """Make world or hardware, and offer what belongs to it."""
        return self._attempt(self._configure)

    def on_activate(self, state: LifecycleState) -> Result:
        """Accept goals and start the control loop."""
        return self._attempt(self._activate)

    def on_deactivate(self, state: LifecycleState) -> Result:
        """Bring the arm to rest, end goals and the control loop."""
        return self._attempt(self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> Result:
        """Give up world or hardware, and what was offered."""
        return self._attempt(self._clean_up)

    def on_shutdown(self, state: LifecycleState) -> Result:
        """Do what is left of deactivate and cleanup."""
        return self._attempt(self._tear_down)

    def on_error(self, state: LifecycleState) -> Result:
        """Give up everything after a defect, so that configure may be tried again."""
        return self._attempt(self._tear_down)

    def _configure(self) -> None:
        self._entities = Entities(self)
        try:
            self._hosted = self.build()
            self._rivals.wait_until_alone(self.given_up)
            self._interface = self._hosted.offer()
        except BaseException:
            self._clean_up()
            raise
        self.diagnostics.changed()

    def _activate(self) -> None:
        assert self._hosted is not None and self._interface is not None
        self._interface.activate()
        self._hosted.start()
        self._active = True
        self.get_logger().info("ready")

    def _deactivate(self) -> None:
        assert self._hosted is not None and self._interface is not None
        self._active = False
        self._hosted.stop(self._interface.deactivate)

    def _clean_up(self) -> None:
        self._entities.destroy_later()
        hosted, self._hosted, self._interface = self._hosted, None, None
        if hosted is not None:
            hosted.discard()
        self.diagnostics.changed()

    def _end_loop(self) -> None:
        if self._active and self._hosted is not None and self._interface is not None:
            self._active = False
            self._hosted.stop(self._interface.close)

    def _tear_down(self) -> None:
        self._end_loop()
        self._clean_up()

    def _attempt(self, step: Callable[[], None]) -> Result:
        """Make one step of the life; a refusal can be repeated, a defect leads to `on_error`."""
        try:
            step()
        except Exception as error:
            self._failure = error
            refusal = isinstance(error, StartError | ParameterError)
            if not self._starting:
                self.get_logger().error(str(error) if refusal else traceback.format_exc())
            return Result.FAILURE if refusal else Result.ERROR
        return Result.SUCCESS

    def _on_change_state(
        self, request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        """Answer a transition; the one of rclpy raises where it is not possible now."""
        wanted: Any = request.transition.label or request.transition.id
        response.success = False
        if not self._transition.acquire(blocking=False):
            self.get_logger().warning(f"transition {wanted} refused: another one is under way")
            return response
        try:
            if not self._closing.is_set():
                return self._change_state(request, response)
        except rclpy_implementation.RCLError as error:
            self.get_logger().warning(f"transition {wanted} refused: {error}")
        except KeyboardInterrupt:
            pass
        finally:
            self._transition.release()
        return response

    def _reports(self) -> Mapping[str, Report]:
        hosted, interface = self._hosted, self._interface
        if hosted is None or interface is None:
            return {"body": Report(Level.WARN, "unconfigured")}
        return {"body": interface.report(), **hosted.reports()}
