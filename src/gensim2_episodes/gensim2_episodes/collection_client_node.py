"""Asks the episode manager for a collection, and hears how it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from action_msgs.msg import GoalStatus
from gensim2_control.ros.namesakes import on_one_domain
from gensim2_control.ros.safe_action_client import SafeActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.node import Node

from gensim2_episodes.attempts import Attempt, CanceledError, CollectionError, ResultCode, Stopped
from gensim2_episodes.diagnostics_watch_node import DiagnosticsWatch
from gensim2_episodes.episode_messages_node import attempt_from_msg
from gensim2_episodes.waiting import POLL, Watch, result_of, wait_done, wait_until
from gensim2_msgs.action import CollectEpisodes

ACTION = "collect"
_CANCEL_TIMEOUT = 15.0  # s
_ANSWER_TIMEOUT = 30.0  # s


class CollectionClient:
    """Sends one goal. Its calls block and belong into a thread of their own.

    Args:
        node: The node, spun by several threads.
        silence_timeout: See `DiagnosticsWatch`.
        say: Tells the user something.
        noted: Called with every attempt.
    """

    def __init__(
        self,
        node: Node,
        silence_timeout: float,
        say: Callable[[str], None],
        noted: Callable[[Attempt], None],
    ) -> None:
        self._client = SafeActionClient(node, CollectEpisodes, ACTION)
        self._others = DiagnosticsWatch(node, silence_timeout)
        self._say, self._noted = say, noted
        self.attempts: list[Attempt] = []
        self.under_way = False
        """Whether an episode is being performed."""

    def collect(
        self, goal: CollectEpisodes.Goal, server_timeout: float, stopped: Stopped
    ) -> tuple[ResultCode, str]:
        """Collects; returns how it ended, and why.

        Raises:
            CanceledError: ``stopped`` said so, and the manager did not answer in time.
            CollectionError: The manager is missing, refuses or dies.
        """
        wait_until(
            lambda: self._client.wait_for_server(POLL),
            stopped,
            server_timeout,
            lambda: f"no node offers the action {ACTION}: is episode_manager running?",
        )
        self._say(
            f"collecting {goal.episodes} episodes of {', '.join(goal.tasks)} into "
            f"{Path(goal.dataset)}"
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
                future, lambda: stopped() or watch.trouble() or self._others.trouble()
            )
        except CanceledError:
            self._say("[yellow]cancelling[/] ...")
            handle.cancel_goal_async()
            if not wait_done(future, _CANCEL_TIMEOUT):
                raise
            answer = future.result()
        self._note(answer.result.attempts[len(self.attempts) :])
        code, text = ResultCode(answer.result.error_code), answer.result.error_msg
        if code is ResultCode.NONE and answer.status != GoalStatus.STATUS_SUCCEEDED:
            return ResultCode.INTERNAL, "episode_manager gave up without saying why; see its log"
        return code, text

    def _on_feedback(self, message: CollectEpisodes.Impl.FeedbackMessage) -> None:
        self.under_way = message.feedback.stage in ("run", "judge", "verdict")
        if message.feedback.last.attempt:
            self._note([message.feedback.last])

    def _note(self, summaries: Sequence[CollectEpisodes.Result]) -> None:
        for summary in summaries:
            self.attempts.append(attempt_from_msg(summary))
            self._noted(self.attempts[-1])
