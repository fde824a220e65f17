"""Lets a controller perform a task: the client of `<controller>/execute_task`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from gensim2_control.ros.conversions import nanoseconds
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_tasks.failure import FailureKind
from rclpy.action.client import ClientGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from gensim2_episodes.attempts import ExecuteReply, Stopped, UnknownTaskError, whole_ns
from gensim2_episodes.episode_messages_node import stamp_of
from gensim2_episodes.manager_parameters_node import ManagerParameters
from gensim2_episodes.manifest import Outcome, json_object
from gensim2_episodes.waiting import POLL, Watch, result_of, wait_done, wait_until
from gensim2_msgs.action import ExecuteTask

_FAILURES = {
    ExecuteTask.Result.PLAN_FAILED: Outcome.PLAN_FAILED,
    ExecuteTask.Result.GOAL_REJECTED: Outcome.GOAL_REJECTED,
    ExecuteTask.Result.EXECUTION_FAILED: Outcome.EXECUTION_FAILED,
    ExecuteTask.Result.SENSOR_STALE: Outcome.SENSOR_STALE,
    ExecuteTask.Result.TIMEOUT: Outcome.TIMEOUT,
    ExecuteTask.Result.CANCELED: Outcome.CANCELED,
}


class ControllerClient:
    """Sends goals to controllers and waits for their ends."""

    def __init__(
        self, node: Node, parameters: ManagerParameters, now_ns: Callable[[], int]
    ) -> None:
        """Makes ready; clients are created when a controller is first asked for.

        Args:
            node: The node.
            parameters: Time limits.
            now_ns: ROS time [ns].
        """
        self._node = node
        self._parameters = parameters
        self._now_ns = now_ns
        self._group = ReentrantCallbackGroup()
        self._clients: dict[str, SafeActionClient] = {}

    def execute(
        self, controller: str, task: str, instruction: str, start_ns: int, stopped: Stopped
    ) -> ExecuteReply:
        """See `attempts.Graph`."""
        name = f"{controller}/execute_task"
        if controller not in self._clients:
            self._clients[controller] = SafeActionClient(
                self._node, ExecuteTask, name, callback_group=self._group
            )
        client = self._clients[controller]
        wait_until(
            lambda: client.wait_for_server(POLL),
            stopped,
            self._parameters.server_timeout,
            lambda: f"no node offers the action {name}: is {controller} running?",
        )
        watch = Watch(
            f"the action {name}",
            client.server_is_ready,
            self._parameters.stall_timeout,
            self._now_ns,
            self._parameters.execute_limit,
        )
        goal = ExecuteTask.Goal(
            task=task,
            instruction=instruction,
            timeout=self._parameters.execute_timeout,
            scene_stamp=stamp_of(start_ns),
        )
        handle: ClientGoalHandle = result_of(
            client.send_goal_async(goal, feedback_callback=lambda _: watch.progress()),
            lambda: None,  # A goal that may have been accepted must not be left alone.
            self._parameters.server_timeout,
            f"the action {name} does not answer to a goal",
        )
        if not handle.accepted:
            text = f"{controller} did not accept the goal"
            return ExecuteReply(Outcome.GOAL_REJECTED, text, self._now_ns())
        future = handle.get_result_async()
        try:
            response = result_of(future, lambda: watch.trouble() or stopped())
        except Exception:
            self._cancel(handle, future)
            raise
        return self._reply(controller, response)

    def _cancel(self, handle: ClientGoalHandle, result: Future) -> None:
        if self._node.context.ok():
            handle.cancel_goal_async()
            if not wait_done(result, self._parameters.cancel_timeout):
                self._node.get_logger().warning("the controller did not end after a cancel")

    def _reply(self, controller: str, response: Any) -> ExecuteReply:
        result: ExecuteTask.Result = response.result
        if result.error_code == ExecuteTask.Result.UNKNOWN_TASK:
            raise UnknownTaskError(f"{controller}: {result.error_msg}")
        failure = None
        if result.error_code != ExecuteTask.Result.NONE:
            failure = _FAILURES.get(result.error_code, Outcome.INTERNAL)
        elif response.status != GoalStatus.STATUS_SUCCEEDED:
            # What a server sends whose callback has failed: an empty result.
            failure = Outcome.INTERNAL
            result.error_msg = result.error_msg or f"{controller} gave up without saying why"
        reached = result.actuation_time >= 0.0
        end_ns = self._now_ns()
        if reached:
            # The result may overtake the clock.
            rest = result.execution_time - result.actuation_time
            end_ns = max(end_ns, nanoseconds(result.actuation_stamp) + round(rest * 1e9))
        return ExecuteReply(
            failure=failure,
            text=result.error_msg,
            end_ns=end_ns,
            plan_time=result.plan_time,
            execution_time=whole_ns(result.execution_time),
            actuation_time=whole_ns(result.actuation_time) if reached else None,
            actuation_ns=nanoseconds(result.actuation_stamp) if reached else None,
            report=json_object(result.report_json),
            kind=_kind(result.failure),
            retries=result.retries,
        )


def _kind(text: str) -> FailureKind | None:
    """What a controller calls its failure; None where it says none, or one that is not known."""
    try:
        return FailureKind(text)
    except ValueError:
        return None
