"""A thread that fuses, so that pictures are received meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gensim2_control.report import Report

from .fusion import FusedCloud
from .health import assess
from .pipeline import FusionPipeline, PosedSet


class FusionWorker:
    """Empties a `FusionPipeline` in a thread of its own; others feed it.

    Attributes:
        failure: What has ended the thread, None as long as all is well.
    """

    def __init__(
        self, pipeline: FusionPipeline, on_cloud: Callable[[FusedCloud], None], poll_s: float
    ) -> None:
        """Prepares; `start` begins.

        Args:
            pipeline: What is fed and emptied; nobody else may touch it from here on.
            on_cloud: Called in the thread with every cloud, in order.
            poll_s: How often deadlines are looked at while nothing comes [s].
        """
        self.failure: Exception | None = None
        self._pipeline, self._on_cloud, self._poll_s = pipeline, on_cloud, poll_s
        self._news = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="fusion", daemon=True)

    def start(self) -> None:
        """Begin to fuse."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, after the cloud at hand."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    @contextmanager
    def feed(self) -> Iterator[FusionPipeline]:
        """The pipeline, for something new; the thread looks at it afterwards."""
        with self._news:
            yield self._pipeline
            self._news.notify_all()

    def reports(self) -> dict[str, Report]:
        """State of the clouds and of every camera."""
        with self._news:
            return assess(self._pipeline)

    def _run(self) -> None:
        try:
            while (posed := self._taken()) is not None:
                began = self._pipeline.steady_s()
                cloud = self._pipeline.fuse(posed)
                duration_s = self._pipeline.steady_s() - began
                self._on_cloud(cloud)
                with self._news:
                    self._pipeline.note(cloud, duration_s)
        except Exception as error:
            self.failure = error

    def _taken(self) -> PosedSet | None:
        with self._news:
            while not self._closing:
                if (posed := self._pipeline.take()) is not None:
                    return posed
                self._news.wait(self._poll_s)
        return None
