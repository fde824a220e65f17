"""Node ``task_generator``: generates tasks on request, off the control graph."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from gensim2_control.report import Level, Report
from gensim2_control.ros.cancel import cancel_is_noted
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from gensim2_msgs.action import GenerateTasks
from gensim2_msgs.msg import GenerationProgress
from gensim2_msgs.srv import GenerateTask

from .backends import ProjectWorkshop
from .generation_messages_node import fill_result, progress_message, read_request
from .outcome import Counts, End, Outcome, Progress
from .service import GeneratorService
from .settings import Request, Settings

CLOSE_TIMEOUT = 20.0  # s of wall time, for a generation to end at shutdown
ANSWER_TIME = 0.2  # s, for its result to leave then
CANCEL_GRACE = 1.0  # s within which rclpy notes a cancel


class TaskGeneratorNode(Node):
    """Offers the service ``generate_task`` and the action ``generate_tasks``."""

    def __init__(self) -> None:
        super().__init__("task_generator")
        own = declare_parameters(self, Settings).value
        self._service_logic = GeneratorService(
            own,
            ProjectWorkshop(),
            os.environ,
            time.monotonic,
            say=self.get_logger().info,
        )
        self._closing = threading.Event()
        self._cancel_asked = threading.Event()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._progress = self.create_publisher(GenerationProgress, "generation/progress", latched)
        group = ReentrantCallbackGroup()
        self._service = self.create_service(
            GenerateTask, "generate_task", self._on_call, callback_group=group
        )
        self._server = ActionServer(
            self,
            GenerateTasks,
            "generate_tasks",
            execute_callback=self._execute,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
            callback_group=group,
        )
        self._doing = "idle"
        self._diagnostics = NodeDiagnostics(self, self._report)
        self.get_logger().info("ready")

    def close(self) -> None:
        """Ends what runs; what has been accepted is in the library already."""
        self._closing.set()
        end = time.monotonic() + CLOSE_TIMEOUT
        while self._service_logic.busy:
            if time.monotonic() > end:
                self.get_logger().warning("a generation has not ended in time")
                break
            time.sleep(0.05)
        time.sleep(ANSWER_TIME)

    def _report(self) -> dict[str, Report]:
        return {"generator": Report(Level.OK, self._doing, {})}

    def _on_call(
        self, call: GenerateTask.Request, answer: GenerateTask.Response
    ) -> GenerateTask.Response:
        outcome = self._generate(read_request(call), self._closing.is_set, lambda _: None)
        return fill_result(answer, outcome)

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._cancel_asked.set()
        return CancelResponse.ACCEPT

    def _execute(self, handle: ServerGoalHandle) -> GenerateTasks.Result:
        self._cancel_asked.clear()

        def ends() -> bool:
            return bool(self._closing.is_set() or handle.is_cancel_requested)

        def told(message: GenerationProgress) -> None:
            handle.publish_feedback(GenerateTasks.Feedback(progress=message))

        outcome = self._generate(read_request(handle.request), ends, told)
        result = fill_result(GenerateTasks.Result(), outcome)
        if outcome.end is End.NONE:
            handle.succeed()
        elif outcome.end is End.CANCELED and cancel_is_noted(
            handle, CANCEL_GRACE if self._cancel_asked.is_set() else 0.0
        ):
            handle.canceled()
        else:
            handle.abort()
        return result

    def _generate(
        self,
        request: Request,
        cancelled: Callable[[], bool],
        told: Callable[[GenerationProgress], None],
    ) -> Outcome:
        def heard(progress: Progress) -> None:
            message = progress_message(progress, self.get_clock().now().to_msg())
            self._progress.publish(message)
            self._doing = f"{progress.stage} {progress.task}".strip()
            told(message)
            if progress.note:
                about = f"{progress.task}: " if progress.task else ""
                self.get_logger().info(f"{progress.stage}: {about}{progress.note}")

        try:
            outcome = self._service_logic.run(request, heard, cancelled)
        except Exception as error:  # rclpy would answer with a result that says no error
            traceback.print_exc()
            text = f"unexpected {type(error).__name__}: {error}"
            outcome = Outcome((), Counts(), End.INTERNAL, text, 0.0, Path())
        if outcome.end is not End.BUSY:
            self._doing = "idle"
        if outcome.end is not End.NONE:
            self.get_logger().warning(f"{outcome.end.name}: {outcome.text}")
        return outcome
