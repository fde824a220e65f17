"""Console script `collect`: asks the episode manager for demonstrations and shows how it goes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import rclpy
from action_msgs.msg import GoalStatus
from gensim2_control.ros.namesakes import on_one_domain
from gensim2_control.ros.parameters import (
    declare_parameters,
    parameter,
    reject_unknown_parameters,
)
from gensim2_control.ros.safe_action_client import SafeActionClient
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.catalogue import TaskError, select_tasks
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node
from rich.filesize import decimal

from gensim2_episodes.attempts import Attempt, CanceledError, CollectionError, ResultCode
from gensim2_episodes.collect_report import attempt_line, look_at_dataset, summary_table
from gensim2_episodes.controllers import controller_node
from gensim2_episodes.dataset_cli import make_console
from gensim2_episodes.diagnostics_watch_node import DiagnosticsWatch
from gensim2_episodes.episode_messages_node import attempt_from_msg
from gensim2_episodes.waiting import POLL, Watch, result_of, wait_done, wait_until
from gensim2_msgs.action import CollectEpisodes

ACTION = "collect"
EXIT_INTERRUPTED = 130
_FAILED = 1
_CANCEL_TIMEOUT = 15.0  # s
_ANSWER_TIMEOUT = 30.0  # s


@dataclass(frozen=True)
class CollectParameters:
    """What to collect."""

    task: str = parameter("OpenBox", "One task, a comma list, or all.")
    asset: str = parameter("", "Asset reference or id; empty = drawn by seed.")
    episodes: int = parameter(1, "Successful episodes wanted per task.", low=1, high=10**6)
    seed: int = parameter(0, "Seed of the first attempt; attempt k has seed + k - 1.", low=0)
    randomize: bool = parameter(True, "Draw pose and openness of the objects.")
    dataset: str = parameter("gensim2_dataset", "Folder of the data set; made if missing.")
    keep_failures: bool = parameter(False, "Store failed attempts too.")
    max_attempts: int = parameter(
        0, "Attempts per task; 0 = three times the episodes, and five.", low=0, high=10**7
    )
    controller: str = parameter(
        "kpam_expert", "Who performs the tasks: kpam, policy, teleop, or the name of a node."
    )
    server_timeout: float = parameter(
        120.0, "Longest wait for episode_manager to appear, s of wall time.", low=0.1
    )
    silence_timeout: float = parameter(
        20.0,
        "Silence on diagnostics after which a node that was heard there before counts as dead, "
        "four times as long as hung where it is still seen in the graph, s of wall time. Longer "
        "than that of episode_manager, which knows more.",
        low=2.0,
        high=3600.0,
    )


class CollectNode(Node):
    """Sends one goal, reports what comes back, and ends with an exit code."""

    def __init__(self) -> None:
        super().__init__("collect")
        self.exit_code = _FAILED
        self._wanted = declare_parameters(self, CollectParameters).value
        reject_unknown_parameters(self)
        try:
            self._tasks = select_tasks(self._wanted.task)
        except TaskError as error:
            raise StartError(str(error)) from None
        self._dataset = Path(self._wanted.dataset).expanduser().absolute()
        self._console = make_console()
        self._interrupted = threading.Event()
        self._under_way = False
        self._client = SafeActionClient(self, CollectEpisodes, ACTION)
        self._others = DiagnosticsWatch(self, self._wanted.silence_timeout)
        self._attempts: list[Attempt] = []
        self._thread = threading.Thread(target=self._run, name="collect")
        self._thread.start()

    def close(self) -> None:
        """Ends the collection: cancels the goal and waits for the manager."""
        self._interrupted.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self.exit_code = self._exit_code()
        finally:
            if not self._interrupted.is_set():
                rclpy.try_shutdown()

    def _exit_code(self) -> int:
        try:
            code, text = self._collect()
        except CanceledError:
            code, text = ResultCode.CANCELED, "cancelled"
        except CollectionError as error:
            code, text = error.code, str(error)
        self._summary()
        if self._interrupted.is_set() and code is not ResultCode.NONE:
            lost = ": the running episode was discarded" if self._under_way else ""
            self._say(f"[yellow]interrupted[/]{lost}")
            return EXIT_INTERRUPTED
        if code is not ResultCode.NONE:
            self._console.print(f"{code.name}: {text}", style="red", markup=False, soft_wrap=True)
            return _FAILED
        return 0

    def _stopped(self) -> Exception | None:
        return CanceledError() if self._interrupted.is_set() else None

    def _collect(self) -> tuple[ResultCode, str]:
        p = self._wanted
        wait_until(
            lambda: self._client.wait_for_server(POLL),
            self._stopped,
            p.server_timeout,
            lambda: f"no node offers the action {ACTION}: is episode_manager running?",
        )
        goal = CollectEpisodes.Goal(
            tasks=self._tasks,
            asset=p.asset,
            episodes=p.episodes,
            max_attempts=p.max_attempts,
            seed=p.seed,
            randomize=p.randomize,
            keep_failures=p.keep_failures,
            dataset=str(self._dataset),
            controller=controller_node(p.controller),
        )
        self._say(
            f"collecting {p.episodes} episodes of {', '.join(self._tasks)} into {self._dataset}"
        )
        handle: ClientGoalHandle = result_of(
            self._client.send_goal_async(goal, feedback_callback=self._on_feedback),
            lambda: None,
            _ANSWER_TIMEOUT,
            "episode_manager does not answer",
        )
        if not handle.accepted:
            raise CollectionError(
                "episode_manager refused: another collection is running. If it is not yours: two "
                f"graphs {on_one_domain()}"
            )
        future = handle.get_result_async()
        self._others.begin()
        watch = Watch("episode_manager", self._client.server_is_ready)
        try:
            answer = result_of(
                future, lambda: self._stopped() or watch.trouble() or self._others.trouble()
            )
        except CanceledError:
            self._say("[yellow]cancelling[/] ...")
            handle.cancel_goal_async()
            if not wait_done(future, _CANCEL_TIMEOUT):
                raise
            answer = future.result()
        for summary in answer.result.attempts[len(self._attempts) :]:
            self._note(attempt_from_msg(summary))
        code, text = ResultCode(answer.result.error_code), answer.result.error_msg
        if code is ResultCode.NONE and answer.status != GoalStatus.STATUS_SUCCEEDED:
            return ResultCode.INTERNAL, "episode_manager gave up without saying why; see its log"
        return code, text

    def _on_feedback(self, message: CollectEpisodes.Impl.FeedbackMessage) -> None:
        self._under_way = message.feedback.stage in ("run", "judge", "verdict")
        if message.feedback.last.attempt:
            self._note(attempt_from_msg(message.feedback.last))

    def _note(self, attempt: Attempt) -> None:
        self._attempts.append(attempt)
        self._say(attempt_line(self._attempts))

    def _summary(self) -> None:
        if not self._attempts:
            return
        sizes, notes = look_at_dataset(self._dataset)
        table = summary_table(self._tasks, self._attempts, self._wanted.episodes, sizes)
        self._console.print(table)
        mine = sum(sizes.get(attempt.episode_id, 0) for attempt in self._attempts)
        self._say(f"data set {self._dataset}: {decimal(mine)} added, {len(sizes)} episodes")
        for note in notes:
            self._console.print(note, style="yellow", markup=False, soft_wrap=True)

    def _say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)
