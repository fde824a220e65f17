"""Node ``kpam_expert``: performs tasks by kPAM plans, through the body contract."""

from __future__ import annotations

import math
import threading
import time
import traceback
from dataclasses import dataclass

from gensim2_control.report import Report
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.conversions import seconds
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.heartbeat import ClientHeartbeat
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_tasks.catalogue import TaskError, load_task
from gensim2_tasks.specs import TaskSpec
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_msgs.action import ExecuteTask

from .expert import RETRIES, perform
from .expert_report_node import expert_report, task_result
from .graph_performer_node import GraphPerformer, Patience
from .performance import ExpertCode, ExpertError, Performance

# s of wall time
CLOSE_TIMEOUT = 5.0  # for a task to end at shutdown
ANSWER_TIME = 0.2  # for its result to leave then
CANCEL_GRACE = 1.0  # within which rclpy notes a cancel that has been carried out already


@dataclass(frozen=True)
class ExpertParameters:
    """How long a task may take, and how old what it begins with may be."""

    timeout: float = parameter(
        120.0, "Time for a task whose goal names none, s of ROS time.", low=0.1, high=3600.0
    )
    observation_period: float = parameter(
        0.1,
        "Age from which on a scene or joint state is not planned on, s of ROS time; the period of "
        "scene states.",
        low=0.001,
        high=10.0,
    )
    plan_timeout: float = parameter(
        30.0,
        "Time after which a planner that has not answered counts as frozen, s of wall time.",
        low=1.0,
        high=3600.0,
    )
    body_timeout: float = parameter(
        10.0,
        "Time without joint_states, while the robot has a goal, after which it counts as frozen, "
        "s of wall time.",
        low=1.0,
        high=600.0,
    )
    retries: int = parameter(
        RETRIES,
        "Tries at each sub-task beyond the first, where it is not done after its motions.",
        low=0,
        high=10,
    )
    preview_time: float = parameter(
        0.0,
        "Time between a plan and its motion, in which an operator can look at it and cancel, s of "
        "wall time.",
        low=0.0,
        high=600.0,
    )


class KpamExpertNode(Node):
    """Offers ``kpam_expert/execute_task``; one task at a time."""

    def __init__(self) -> None:
        super().__init__("kpam_expert")
        self._own = declare_parameters(self, ExpertParameters).value
        own = self._own
        patience = Patience(
            own.observation_period, own.plan_timeout, own.body_timeout, own.preview_time
        )
        self._performer = GraphPerformer(self, patience)
        self._stage, self._last = "", "none"
        self._heartbeat = ClientHeartbeat(self)
        self._busy = threading.Lock()
        self._cancel_asked = False
        self._server = ActionServer(
            self,
            ExecuteTask,
            "kpam_expert/execute_task",
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.get_logger().info("ready")

    def close(self) -> None:
        """Cancels what runs, so that the robot comes to rest, and waits for its end."""
        self._performer.cancel()
        if not self._busy.acquire(timeout=CLOSE_TIMEOUT):
            self.get_logger().warning("a task has not ended in time")
        time.sleep(ANSWER_TIME)

    def _on_goal(self, request: ExecuteTask.Goal) -> GoalResponse:
        if not (math.isfinite(request.timeout) and request.timeout >= 0.0):
            self.get_logger().warning(
                f"rejected {request.task}: timeout {request.timeout} s; expected 0 or more"
            )
            return GoalResponse.REJECT
        # Held until the task has ended, so that a cancel can only be for the one that runs.
        if not self._busy.acquire(blocking=False):
            self.get_logger().warning(f"rejected {request.task}: another task runs")
            return GoalResponse.REJECT
        self._cancel_asked = False
        self._performer.begin(seconds(request.scene_stamp))
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancel_asked = True
        self._performer.cancel()
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        try:
            return self._perform(handle)
        finally:
            self._stage = ""
            self._busy.release()
            self._diagnostics.changed()

    def _perform(self, handle: ServerGoalHandle) -> ExecuteTask.Result:
        request: ExecuteTask.Goal = handle.request
        try:
            task = load_task(request.task)
        except TaskError as error:
            handle.abort()
            code = ExecuteTask.Result.UNKNOWN_TASK
            self._last = f"{request.task!r}: unknown_task"
            return ExecuteTask.Result(error_code=code, error_msg=str(error), actuation_time=-1.0)
        performance = self._performance(task, handle)
        self._last = f"{task.name}: {performance.code.name.lower()}"
        if performance.code is ExpertCode.NONE:
            handle.succeed()
        elif performance.code is ExpertCode.CANCELED and self._cancel_noted(handle):
            handle.canceled()
        else:
            self.get_logger().warning(f"{task.name}: {performance.code.name}: {performance.text}")
            handle.abort()
        return task_result(performance)

    def _report(self) -> dict[str, Report]:
        own, news = self._own, self._performer.news
        return {"expert": expert_report(self._stage, self._last, news, own.body_timeout)}

    def _cancel_noted(self, handle: ServerGoalHandle) -> bool:
        """Tells whether a client has cancelled; a shutdown ends a task in the same way."""
        return cancel_is_noted(handle, CANCEL_GRACE if self._cancel_asked else 0.0)

    def _performance(self, task: TaskSpec, handle: ServerGoalHandle) -> Performance:
        def progress(stage: str, share: float) -> None:
            self._stage = f"performing {task.name}: {stage}"
            self._diagnostics.changed()
            handle.publish_feedback(ExecuteTask.Feedback(stage=stage, progress=float(share)))

        try:
            self._performer.limit(handle.request.timeout or self._own.timeout)
            return perform(task, self._performer, progress, self._own.retries)
        except ExpertError as error:
            code, text = error.code, str(error)
        except Exception as error:  # rclpy would answer with a result that says no error.
            traceback.print_exc()
            code, text = ExpertCode.INTERNAL, f"unexpected {type(error).__name__}: {error}"
        now = self._performer.now()
        return Performance(0.0, now, now, None, code=code, text=text)
