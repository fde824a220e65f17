"""Node `teleop`: a person performs a task, with twists from a keyboard, a SpaceMouse or anything.

It offers the same action as the kPAM expert, `teleop/execute_task`, so that an episode manager
records a person as it records a planner.
"""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass

from gensim2_control.report import Level, Report
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.heartbeat import ClientHeartbeat
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.stream_bounds import StreamBounds
from gensim2_tasks.catalogue import TaskError, load_task
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_msgs.action import ExecuteTask

from .demonstration import DriveConfig, End, drive
from .graph_operator_node import GraphOperator
from .servo import Servo, ServoConfig

_SPEED = 0.5  # share of the joint speed limits
_READY_TIMEOUT = 10.0  # s of wall time, for the first word of the body
_CLOSE_TIMEOUT = 3.0  # s
_CANCEL_GRACE = 1.0  # s, within which rclpy notes a cancel that has been carried out already
_ANSWER_TIME = 0.2  # s, for the result to leave at shutdown


@dataclass(frozen=True)
class TeleopParameters:
    """How fast the operator may drive, and within which bounds."""

    linear_speed: float = parameter(0.15, "Highest speed of the TCP, m/s.", low=0.001, high=1.0)
    angular_speed: float = parameter(0.6, "Highest turn of the TCP, rad/s.", low=0.01, high=2.5)
    joint_speed: float = parameter(0.8, "Highest speed of a joint, rad/s.", low=0.01, high=1.2)
    acceleration: float = parameter(2.5, "Of a joint, rad/s^2.", low=0.1, high=4.5)
    rate: float = parameter(20.0, "Chunks per second.", low=10.0, high=50.0)
    twist_lasts: float = parameter(
        0.25, "Time for which a twist counts without a newer one, s.", low=0.05, high=2.0
    )
    position_margin: float = parameter(
        0.05, "Distance from the ends of the joints that the body keeps, rad.", low=0.0, high=0.5
    )
    workspace_lower: tuple[float, ...] = parameter(
        (-0.3, -0.8, 0.0), "Lower corner of the box for TCP and fingertips, m in base."
    )
    workspace_upper: tuple[float, ...] = parameter(
        (0.9, 0.8, 1.2), "Upper corner of the box for TCP and fingertips, m in base."
    )
    gripper_effort: float = parameter(20.0, "Force of the fingers, N.", low=1.0, high=70.0)
    timeout: float = parameter(
        600.0, "Longest demonstration whose goal names no time, s.", low=1.0, high=36000.0
    )

    def check(self) -> None:
        """Refuse a workspace that is none.

        Raises:
            ValueError: says why.
        """
        self.bounds()

    def bounds(self) -> StreamBounds:
        """What is kept."""
        return StreamBounds(
            self.position_margin,
            velocity_scale=_SPEED,
            lower=self.workspace_lower,
            upper=self.workspace_upper,
        )

    def servo(self) -> ServoConfig:
        """The settings of the servo."""
        return ServoConfig(
            self.linear_speed, self.angular_speed, self.joint_speed, self.acceleration
        )


class TeleopNode(Node):
    """Offers `teleop/execute_task`; one demonstration at a time."""

    def __init__(self) -> None:
        super().__init__("teleop")
        self._own = declare_parameters(self, TeleopParameters).value
        self._operator = GraphOperator(self, self._own.gripper_effort)
        self._heartbeat = ClientHeartbeat(self)
        self._busy = threading.Lock()
        self._last = ""
        self._cancel_grace = 0.0
        self._server = ActionServer(
            self,
            ExecuteTask,
            "teleop/execute_task",
            self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.get_logger().info("ready")

    def close(self) -> None:
        """End what runs, so that the arm comes to rest."""
        self._operator.end(End.CANCELED)
        if not self._busy.acquire(timeout=_CLOSE_TIMEOUT):
            self.get_logger().warning("the demonstration has not ended in time")
        time.sleep(_ANSWER_TIME)

    def _on_goal(self, request: ExecuteTask.Goal) -> GoalResponse:
        if not 0.0 <= request.timeout < float("inf") or not self._busy.acquire(blocking=False):
            self.get_logger().warning(f"rejected {request.task}: another runs, or no time is given")
            return GoalResponse.REJECT
        self._cancel_grace = 0.0
        self._operator.begin()
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancel_grace = _CANCEL_GRACE
        self._operator.end(End.CANCELED)
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        began = self._operator.now()
        try:
            end, text = self._demonstrate(handle)
        except TaskError as error:
            end, text = ExecuteTask.Result.UNKNOWN_TASK, str(error)
        except Exception as error:  # rclpy would answer with a result that says no error.
            traceback.print_exc()
            end, text = ExecuteTask.Result.INTERNAL, f"unexpected {type(error).__name__}: {error}"
        finally:
            self._operator.release()
            self._busy.release()
        if int(end) == ExecuteTask.Result.NONE:
            handle.succeed()
        elif end is End.CANCELED and cancel_is_noted(handle, self._cancel_grace):
            handle.canceled()
        else:
            self.get_logger().warning(f"{handle.request.task}: {text}")
            handle.abort()
        self._last = f"{handle.request.task}: {text or 'done'}"
        self._diagnostics.changed()
        return ExecuteTask.Result(
            execution_time=max(0.0, self._operator.now() - began),
            actuation_time=-1.0,
            error_code=int(end),
            error_msg=text,
        )

    def _demonstrate(self, handle: ServerGoalHandle) -> tuple[End, str]:
        request: ExecuteTask.Goal = handle.request
        task = load_task(request.task)
        kinematics = self._operator.ready(time.monotonic() + _READY_TIMEOUT)
        if kinematics is None:
            return End.SENSOR_STALE, "no controller_state or robot_description; is the robot up?"
        own = self._own
        bounds = own.bounds()
        servo = Servo(kinematics, bounds.limits(), own.servo(), bounds.workspace())
        handle.publish_feedback(ExecuteTask.Feedback(stage="teleoperate"))
        self.get_logger().info(
            f"show {task.name}: {request.instruction or task.instruction}. End it with teleop/done"
        )
        config = DriveConfig(own.twist_lasts, timeout=request.timeout or own.timeout)
        return drive(servo, self._operator, config, lambda: time.sleep(1.0 / own.rate))

    def _report(self) -> dict[str, Report]:
        running = self._busy.locked()
        values = {"last": self._last or "none", "limited": self._operator.told or "no"}
        return {"teleop": Report(Level.OK, "a person drives" if running else "ready", values)}
