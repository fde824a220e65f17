"""Node `episode_manager`: collects demonstrations on request, and records them."""

from __future__ import annotations

import threading
import traceback
from pathlib import Path

from gensim2_control.ros.parameters import declare_parameters
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from gensim2_episodes.attempts import CanceledError, CollectRequest, CollectResult, ResultCode
from gensim2_episodes.diagnostics_watch_node import DiagnosticsWatch
from gensim2_episodes.episode_messages_node import summary_to_msg
from gensim2_episodes.graph_node import RosGraph
from gensim2_episodes.manager import Collection, ManagerConfig, Progress
from gensim2_episodes.manager_parameters_node import ManagerParameters
from gensim2_episodes.manager_view_node import ManagerView
from gensim2_episodes.manifest import Rates
from gensim2_episodes.provenance import software_record
from gensim2_msgs.action import CollectEpisodes

ACTION = "collect"
_PARTING = 0.2
"""Time for the result of the last goal to go out [s]."""


class EpisodeManagerNode(Node):
    """Offers the action `collect`; one collection at a time."""

    def __init__(self) -> None:
        super().__init__("episode_manager")
        parameters = declare_parameters(self, ManagerParameters).value
        self._config = ManagerConfig(
            rates=Rates(observation=parameters.observation_rate),
            recording_timeout=parameters.message_timeout,
            max_lost=parameters.max_lost,
        )
        self._software = software_record()
        self._graph = RosGraph(self, parameters)
        self._view = ManagerView(self, self._graph.newest_scene)
        # The client that waits for this node is no part of the graph it needs.
        self._watch = DiagnosticsWatch(self, parameters.silence_timeout, ("collect",))
        self._running = threading.Lock()
        self._stopping = threading.Event()
        self._server = ActionServer(
            self,
            CollectEpisodes,
            ACTION,
            self._on_execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=ReentrantCallbackGroup(),
        )
        self.get_logger().info("ready")

    def close(self) -> None:
        """Discards the running episode, cancels the controller and ends the collection."""
        self._stopping.set()
        with self._running:
            threading.Event().wait(_PARTING)

    def _on_goal(self, request: CollectEpisodes.Goal) -> GoalResponse:
        if self._running.locked() or self._stopping.is_set():
            self.get_logger().warning("a collection is running: the new goal is refused")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_execute(self, handle: ServerGoalHandle) -> CollectEpisodes.Result:
        def stopped() -> Exception | None:
            if handle.is_cancel_requested:
                return CanceledError("the collection was cancelled")
            if self._stopping.is_set():
                return CanceledError("episode_manager was shut down")
            return self._watch.trouble()

        def feedback(progress: Progress) -> None:
            message = CollectEpisodes.Feedback(
                stage=progress.stage, collected=progress.collected, requested=progress.requested
            )
            if progress.last is not None:
                message.last = summary_to_msg(progress.last)
            handle.publish_feedback(message)
            self._view.progress(progress)

        with self._running:
            self._view.begin(Path(handle.request.dataset))
            self._watch.begin()
            result = Collection(
                _request(handle.request),
                self._graph,
                self._config,
                software=self._software,
                stopped=stopped,
                feedback=feedback,
            ).run()
            self._view.end()
            return self._end(handle, result)

    def _end(self, handle: ServerGoalHandle, result: CollectResult) -> CollectEpisodes.Result:
        if result.code is ResultCode.NONE:
            handle.succeed()
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            text = f"{result.code.name}: {result.text}"
            # rclpy raises where one line of code logs now at one severity, now at another.
            if result.code is ResultCode.CANCELED:
                self.get_logger().info(text)
            else:
                self.get_logger().error(text)
            if result.cause is not None:
                self.get_logger().error("".join(traceback.format_exception(result.cause)))
            handle.abort()
        return CollectEpisodes.Result(
            attempts=[summary_to_msg(attempt) for attempt in result.attempts],
            error_code=int(result.code),
            error_msg=result.text,
        )


def _request(goal: CollectEpisodes.Goal) -> CollectRequest:
    return CollectRequest(
        tasks=tuple(dict.fromkeys(goal.tasks)),
        asset=goal.asset,
        episodes=goal.episodes,
        max_attempts=goal.max_attempts,
        seed=goal.seed,
        randomize=goal.randomize,
        keep_failures=goal.keep_failures,
        dataset=goal.dataset,
        controller=goal.controller,
    )
