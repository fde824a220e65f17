"""A workshop with a scripted source, a verifier that accepts, and a library in memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path

from generation_script import Shelf as MemoryShelf
from gensim2_generation.candidate import Candidate
from gensim2_generation.generator import Pool, Shelf
from gensim2_generation.service import Order
from gensim2_generation.settings import Settings
from gensim2_generation.source import Source, Wanted
from gensim2_generation.verdict import EXPERT, Trial, Verdict

GOOD = Verdict(True, "", "", (Trial(EXPERT, 1, "a", True, True),))


class Fake:
    """A workshop: proposes what it is given, and judges when it may."""

    def __init__(self, source: Callable[[], Source], go: threading.Event | None = None) -> None:
        self._source, self.go, self.shelf = source, go, MemoryShelf()
        self.asked: list[tuple[str, Wanted]] = []
        self.begun = threading.Event()
        self.reported: list[Path] = []

    def library(self, folder: Path) -> Shelf:
        return self.shelf

    def pool(self, settings: Settings) -> AbstractContextManager[Pool]:
        return contextlib.nullcontext(self)

    def submit(self, candidate: Candidate) -> Future[Verdict]:
        future: Future[Verdict] = Future()
        self.begun.set()
        if self.go is None:
            future.set_result(GOOD)
        return future

    def source(self, backend: str, order: Order) -> Source:
        self.asked.append((backend, order.wanted))
        return self._source()

    def software(self) -> Mapping[str, str]:
        return {"gensim2": "1"}

    def report(self, run: Path) -> None:
        self.reported.append(run)
