"""Program `generate_tasks`: asks the node `task_generator`, shows how it goes, and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rclpy
from gensim2_control.ros.parameters import declare_parameters, parameter
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_episodes.dataset_cli import make_console
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rich.markup import escape
from rich.table import Table

from gensim2_msgs.action import GenerateTasks
from gensim2_msgs.msg import GenerationProgress

INTERRUPTED, FAILED, WRONG = 130, 1, 2
POLL = 0.2  # s of wall time
CANCEL_TIME = 30.0  # s, for what runs to end after Ctrl-C


@dataclass(frozen=True)
class GenerateParameters:
    """What to generate; empty and 0 = as the node `task_generator` has it."""

    mode: str = parameter("", "primitive, topdown, bottomup, paraphrase or image.")
    target_object: str = parameter("", "Category or words that the tasks shall be about.")
    target_task: str = parameter("", "Name of a task, or words; of paraphrase: the task.")
    num_tasks: int = parameter(0, "Tasks to be accepted.", low=0, high=100_000)
    backend: str = parameter("", "catalogue, openai, local or replay.")
    image: str = parameter("", "File of a picture, of mode image.")
    seed: int = parameter(0, "Of everything that is drawn.", low=0)
    timeout: float = parameter(0.0, "s of wall time.", low=0.0, high=1e7)
    server_timeout: float = parameter(
        60.0, "Longest wait for task_generator to appear, s of wall time.", low=0.1
    )


class GenerateTasksNode(Node):
    """Asks for tasks and ends with a table."""

    def __init__(self) -> None:
        super().__init__("generate_tasks")
        self._own = declare_parameters(self, GenerateParameters).value
        self.exit_code = FAILED
        self._console = make_console()
        self._interrupted = threading.Event()
        self._client = SafeActionClient(self, GenerateTasks, "generate_tasks")
        self._thread = threading.Thread(target=self._run, name="generate_tasks")

    def start(self, ended: Callable[[], bool]) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Cancels what runs, and waits for its result."""
        self._interrupted.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self.exit_code = self._generate()
        finally:
            if not self._interrupted.is_set():
                rclpy.try_shutdown()

    def _generate(self) -> int:
        own = self._own
        if not self._client.wait_for_server(timeout_sec=own.server_timeout):
            return self._fail(f"there is no task_generator after {own.server_timeout:g} s")
        goal = GenerateTasks.Goal(
            mode=own.mode,
            target_object=own.target_object,
            target_task=own.target_task,
            num_tasks=own.num_tasks,
            backend=own.backend,
            image=own.image,
            seed=own.seed,
            timeout=own.timeout,
        )
        handle: ClientGoalHandle = self._wait(
            self._client.send_goal_async(goal, feedback_callback=self._on_feedback)
        )
        if handle is None or not handle.accepted:
            return self._fail("the goal was not accepted")
        answer = self._wait(handle.get_result_async(), handle)
        if answer is None:
            return INTERRUPTED
        result: GenerateTasks.Result = answer.result
        if result.tasks:
            self._console.print(_table(result))
        if result.run:
            self._console.print(f"record: {result.run}", soft_wrap=True, markup=False)
        if self._interrupted.is_set():
            return INTERRUPTED
        if result.error_code == GenerateTasks.Result.NONE:
            return 0
        code = WRONG if result.error_code == GenerateTasks.Result.BAD_REQUEST else FAILED
        return self._fail(result.error_msg, code)

    def _wait(self, future: rclpy.task.Future, handle: ClientGoalHandle | None = None) -> Any:
        """The result of a future; a goal is cancelled where the end is asked for."""
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        while not done.wait(POLL):
            if not self._interrupted.is_set():
                continue
            if handle is not None:
                handle.cancel_goal_async()
            return future.result() if done.wait(CANCEL_TIME) else None
        return future.result()

    def _on_feedback(self, message: GenerateTasks.Impl.FeedbackMessage) -> None:
        progress: GenerationProgress = message.feedback.progress
        if not (progress.note and progress.task):
            return
        self._console.print(
            f"{progress.accepted}/{progress.wanted} accepted of {progress.proposed}  "
            f"{progress.task}: {progress.note}",
            markup=False,
            soft_wrap=True,
        )

    def _fail(self, text: str, code: int = FAILED) -> int:
        self._console.print(f"error: {text}", style="red", soft_wrap=True, markup=False)
        return code


def _table(result: GenerateTasks.Result) -> Table:
    table = Table(
        title=f"{result.accepted} accepted of {result.proposed} proposed ({result.valid} valid, "
        f"{result.novel} new, {result.executed} executed) in {result.seconds / 60:.1f} minutes",
        title_justify="left",
    )
    for column in ("task", "instruction", "success", "what became of it"):
        table.add_column(column, overflow="fold")
    for task in result.tasks:
        share = f"{task.pass_rate:.0%} of {task.episodes}" if task.episodes else "-"
        became = "accepted" if task.accepted else task.reason
        cells = (task.name, task.instruction, share, became[:200])
        table.add_row(*map(escape, cells), style="" if task.accepted else "dim")
    return table
