"""Films the episodes of a collection over the graph."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from gensim2_control.ros.conversions import nanoseconds
from gensim2_episodes.attempts import Attempt
from gensim2_episodes.episode_messages_node import image_from_msg
from gensim2_episodes.errors import StoreError
from gensim2_episodes.store import EpisodeStore
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import Image

from .film import Film
from .graph_senses_node import colour_topic

QUEUE = 30  # pictures of a camera


class FilmCrew:
    """Hears the cameras; writes the film of an episode while the next one runs.

    Args:
        node: The node, spun by several threads.
        cameras: From left to right.
        dataset: Of the episodes, whose stamps tell which pictures are theirs.
        folder: Of the videos.
    """

    def __init__(self, node: Node, cameras: Sequence[str], dataset: Path, folder: Path) -> None:
        self._node, self._dataset, self._folder = node, dataset, folder
        self._film = Film(cameras)
        self._cutter = ThreadPoolExecutor(1, "film")
        self._cut: dict[str, Future[Path | None]] = {}
        group = MutuallyExclusiveCallbackGroup()
        for camera in cameras:
            node.create_subscription(
                Image,
                colour_topic(camera),
                partial(self._on_picture, camera),
                QUEUE,
                callback_group=group,
            )

    def cut(self, attempt: Attempt) -> None:
        """An episode is over; does not wait for its film."""
        if attempt.episode_id:
            self._cut[attempt.episode_id] = self._cutter.submit(self._save, attempt)

    def film(self, attempt: Attempt) -> Path | None:
        """Where the film of an episode is, once it is; None = there is none."""
        future = self._cut.get(attempt.episode_id)
        return None if future is None else future.result()

    def _save(self, attempt: Attempt) -> Path | None:
        file = self._folder / f"{attempt.task}-{attempt.seed}.mp4"
        try:
            reader = EpisodeStore(self._dataset).open_episode(attempt.episode_id)
            first, last = int(reader.stamp_ns[0]), int(reader.stamp_ns[-1])
            if self._film.save(file, first, last):
                return file
            why = f"nothing was heard on {colour_topic('<camera>')}"
        except (StoreError, OSError) as error:
            why = str(error)
        self._node.get_logger().warning(f"no video of {attempt.task}, seed {attempt.seed}: {why}")
        return None

    def _on_picture(self, camera: str, message: Image) -> None:
        try:
            self._film.take(nanoseconds(message.header.stamp), camera, image_from_msg(message))
        except ValueError as error:
            self._node.get_logger().warning(
                f"{colour_topic(camera)}: {error}", throttle_duration_sec=10.0
            )
