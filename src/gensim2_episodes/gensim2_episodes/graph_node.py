"""The graph as the manager needs it: scene, controllers and recorder behind `attempts.Graph`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from rclpy.node import Node

from gensim2_episodes.attempts import ExecuteReply, NoAnswerError, ResetReply, Stopped
from gensim2_episodes.controller_client_node import ControllerClient
from gensim2_episodes.manager_parameters_node import ManagerParameters
from gensim2_episodes.manifest import CameraRecord
from gensim2_episodes.recorder_node import RecorderStreams
from gensim2_episodes.recording import Recording
from gensim2_episodes.scene import Scene
from gensim2_episodes.scene_client_node import SceneClient
from gensim2_episodes.waiting import wait_until
from gensim2_episodes.writer import EpisodeWriter


class RosGraph:
    """Implements `attempts.Graph`. Its methods block: call them from a thread of the executor."""

    def __init__(self, node: Node, parameters: ManagerParameters) -> None:
        """Creates clients and subscriptions on the node."""
        self._node = node
        self._parameters = parameters
        self._scene = SceneClient(node, parameters)
        self._streams = RecorderStreams(node, parameters, self._scene.on_scene)
        self._controllers = ControllerClient(node, parameters, self._now_ns)

    def reset(
        self, task: str, asset: str, seed: int, randomize: bool, stopped: Stopped
    ) -> ResetReply:
        """See `attempts.Graph`."""
        return self._scene.reset(task, asset, seed, randomize, stopped)

    def ready(self, stopped: Stopped) -> None:
        """See `attempts.Graph`."""
        wait_until(
            lambda: not self._streams.missing(),
            stopped,
            self._parameters.server_timeout,
            lambda: (
                f"nobody publishes {', '.join(self._streams.missing())}, which the recorder "
                "needs: are the body, robot_state_publisher and pointcloud_fusion running?"
            ),
        )

    def record(self, writer: EpisodeWriter, scene: Scene) -> Recording:
        """See `attempts.Graph`."""
        return self._streams.record(writer, scene)

    def first_observation(self, recording: Recording, stopped: Stopped) -> list[str]:
        """See `attempts.Graph`."""
        with contextlib.suppress(NoAnswerError):
            wait_until(
                lambda: not recording.active or not self._streams.lacking(recording),
                stopped,
                self._parameters.message_timeout,
                lambda: "no observation",
            )
        return self._streams.lacking(recording)

    def execute(
        self, controller: str, task: str, instruction: str, start_ns: int, stopped: Stopped
    ) -> ExecuteReply:
        """See `attempts.Graph`."""
        return self._controllers.execute(controller, task, instruction, start_ns, stopped)

    def scene_at(self, reset_count: int, stamp_ns: int, stopped: Stopped) -> Scene:
        """See `attempts.Graph`."""
        return self._scene.scene_at(reset_count, stamp_ns, stopped)

    def verdict(self, scene: Scene, stopped: Stopped) -> Scene:
        """See `attempts.Graph`."""
        return self._scene.verdict(scene, stopped)

    def history(self, reset_count: int) -> list[Scene]:
        """See `attempts.Graph`."""
        return self._scene.history(reset_count)

    def newest_scene(self) -> Scene | None:
        """The newest state of the scene."""
        return self._scene.newest

    def cameras(self) -> Mapping[str, CameraRecord]:
        """See `attempts.Graph`."""
        return self._streams.cameras()

    def _now_ns(self) -> int:
        return max(self._node.get_clock().now().nanoseconds, self._streams.newest_ns)
