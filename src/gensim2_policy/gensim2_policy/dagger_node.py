"""Node `dagger`: lets a policy begin a task, and an expert take over and finish it."""

from __future__ import annotations

import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any

from action_msgs.msg import GoalStatus
from gensim2_control.report import Level, Report
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.conversions import seconds
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_episodes.attempts import CanceledError, GraphError
from gensim2_episodes.waiting import Watch, result_of, wait_done
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.client import ClientGoalHandle
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import JointState

from gensim2_msgs.action import ExecuteTask

from .takeover import report, time_of_takeover

ANSWER_TIMEOUT = 30.0  # s of wall time
CANCEL_TIMEOUT = 10.0
CANCEL_GRACE = 1.0
Result = ExecuteTask.Result


@dataclass(frozen=True)
class DaggerParameters:
    """Who acts, and for how long."""

    policy: str = parameter("policy", "Node of the policy.")
    expert: str = parameter("kpam_expert", "Node of the expert.")
    longest: float = parameter(
        6.0, "Length of a demonstration, s, of which the policy gets a share.", low=0.5, high=600.0
    )
    least: float = parameter(0.2, "Least share of it that the policy gets.", low=0.0, high=1.0)
    most: float = parameter(0.8, "Largest share.", low=0.0, high=1.0)
    seed: int = parameter(0, "Of what is drawn.", low=0)

    def check(self) -> None:
        """Refuses shares in the wrong order.

        Raises:
            ValueError: They are.
        """
        if self.least > self.most:
            raise ValueError(f"least {self.least:g} is more than most {self.most:g}")


class DaggerNode(Node):
    """Offers ``dagger/execute_task``; one task at a time."""

    def __init__(self) -> None:
        super().__init__("dagger")
        self._own = declare_parameters(self, DaggerParameters).value
        group = ReentrantCallbackGroup()
        self._actors = {
            name: SafeActionClient(self, ExecuteTask, f"{name}/execute_task", callback_group=group)
            for name in (self._own.policy, self._own.expert)
        }
        self._busy, self._attempt, self._time = threading.Lock(), 0, 0.0
        self._cancelled = False
        self._last = "none"
        self.create_subscription(JointState, "joint_states", self._on_joints, 10)
        self._server = ActionServer(
            self,
            ExecuteTask,
            "dagger/execute_task",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.get_logger().info("ready")

    def close(self) -> None:
        """Cancels what runs, and waits for its end."""
        self._cancelled = True
        if not self._busy.acquire(timeout=2.0 * CANCEL_TIMEOUT):
            self.get_logger().warning("a task has not ended in time")
        time.sleep(0.2)

    def _on_joints(self, message: JointState) -> None:
        self._time = seconds(message.header.stamp)

    def _on_goal(self, request: ExecuteTask.Goal) -> GoalResponse:
        if not self._busy.acquire(blocking=False):
            self.get_logger().warning(f"rejected {request.task}: another task runs")
            return GoalResponse.REJECT
        self._cancelled = False
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancelled = True
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        try:
            result = self._perform(handle)
        except CanceledError:
            result = Result(error_code=Result.CANCELED, error_msg="canceled", actuation_time=-1.0)
        except GraphError as error:
            text = str(error)
            result = Result(error_code=Result.INTERNAL, error_msg=text, actuation_time=-1.0)
        except Exception as error:  # rclpy would answer with a result that says no error.
            traceback.print_exc()
            text = f"unexpected {type(error).__name__}: {error}"
            result = Result(error_code=Result.INTERNAL, error_msg=text, actuation_time=-1.0)
        finally:
            self._busy.release()
        if result.error_code == Result.NONE:
            handle.succeed()
        elif result.error_code == Result.CANCELED and cancel_is_noted(handle, CANCEL_GRACE):
            handle.canceled()
        else:
            self.get_logger().warning(f"{handle.request.task}: {result.error_msg}")
            handle.abort()
        self._last = f"{handle.request.task}: {result.error_msg or 'done'}"
        self._diagnostics.changed()
        return result

    def _perform(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        own, request = self._own, handle.request
        self._attempt += 1
        share = time_of_takeover(own.seed, self._attempt, own.longest, (own.least, own.most))
        handle.publish_feedback(ExecuteTask.Feedback(stage="policy"))
        goal = ExecuteTask.Goal(
            task=request.task,
            instruction=request.instruction,
            timeout=max(share, 0.1),
            scene_stamp=request.scene_stamp,
        )
        began = self._time
        acted: ExecuteTask.Result = self._ask(own.policy, goal).result
        # Its time is up as it should be, or it thinks that it is done.
        if acted.error_code not in (Result.TIMEOUT, Result.NONE):
            return acted
        taken_over = self._time
        handle.publish_feedback(ExecuteTask.Feedback(stage="expert", progress=0.5))
        goal.timeout = request.timeout
        answer = self._ask(own.expert, goal)
        result: ExecuteTask.Result = answer.result
        if result.error_code == Result.NONE and answer.status != GoalStatus.STATUS_SUCCEEDED:
            result.error_code = Result.INTERNAL
        result.report_json = report(taken_over, result.report_json)
        result.execution_time += taken_over - began
        if result.actuation_time >= 0.0:
            result.actuation_time += taken_over - began
        return result

    def _ask(self, actor: str, goal: ExecuteTask.Goal) -> Any:
        client = self._actors[actor]
        if not client.wait_for_server(ANSWER_TIMEOUT):
            raise GraphError(f"no node offers the action {actor}/execute_task")
        handle: ClientGoalHandle = result_of(
            client.send_goal_async(goal), self._stopped, ANSWER_TIMEOUT, f"{actor} does not answer"
        )
        if not handle.accepted:
            raise GraphError(f"{actor} refused {goal.task}")
        future = handle.get_result_async()
        watch = Watch(actor, client.server_is_ready)
        try:
            return result_of(future, lambda: self._stopped() or watch.trouble())
        except CanceledError:
            handle.cancel_goal_async()
            wait_done(future, CANCEL_TIMEOUT)
            raise

    def _stopped(self) -> Exception | None:
        return CanceledError() if self._cancelled else None

    def _report(self) -> dict[str, Report]:
        values = {"last": self._last, "attempts": str(self._attempt)}
        return {"dagger": Report(Level.OK, "acts" if self._busy.locked() else "ready", values)}
