"""Answers of a language model that keep to a JSON schema, token by token.

A grammar made of the schema says at every step which tokens may follow; among these the model
chooses. Where only one text can follow nothing is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
import xgrammar
from numpy.typing import NDArray

from .local_weights import Loaded

FEW = 20_000  # allowed tokens up to which only their scores are computed
_BEGUN_WORD = re.compile(r"[^\s\"\[\]{}:,]+$")


class QuestionTooLongError(ValueError):
    """The question does not fit into what the model can read."""


class StoppedError(RuntimeError):
    """Decoding was given up because somebody asked for it."""


@dataclass(frozen=True)
class Written:
    """What has been decoded.

    Attributes:
        text: JSON; cut off where it is not `complete`.
        complete: Whether the schema is met; False where there were too many tokens.
        read: Tokens of the question.
        written: Tokens of the answer, those included that were forced.
        chosen: Tokens of the answer that the model has chosen among several.
    """

    text: str
    complete: bool
    read: int
    written: int
    chosen: int


class Decoder:
    """Decodes on the CPU.

    Args:
        loaded: The model.
        threads: Of PyTorch while it decodes.
        longest: Tokens of a question and its answer, at most.
    """

    def __init__(self, loaded: Loaded, threads: int = 1, longest: int = 4096) -> None:
        self._model, self._tokenizer = loaded.model, loaded.tokenizer
        self._threads = threads
        self._longest = min(longest, loaded.model.config.max_position_embeddings)
        self._scores = loaded.model.get_output_embeddings().weight
        self._vocabulary = len(self._scores)
        info = xgrammar.TokenizerInfo.from_huggingface(
            self._tokenizer,
            vocab_size=self._vocabulary,
            stop_token_ids=[self._tokenizer.eos_token_id],
        )
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1)

    def prompt(self, system: str, user: str) -> list[int]:
        """Tokens of a question, as the model was trained to read it."""
        if self._tokenizer.chat_template:
            said = [{"role": "system", "content": system}, {"role": "user", "content": user}]
            text = self._tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=True
            )
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        # One that was trained on plain text goes on with it.
        text = "\n\n".join(filter(None, (system, user)))
        return list(self._tokenizer(f"{text}\n")["input_ids"])

    def write(
        self,
        prompt: list[int],
        schema: Mapping[str, Any],
        *,
        temperature: float,
        seed: int,
        max_tokens: int,
        stopped: Callable[[], bool],
    ) -> Written:
        """Decodes an answer.

        Args:
            prompt: Tokens of the question.
            schema: JSON schema of the answer, an object.
            temperature: Of sampling; 0 = the likeliest token.
            seed: Of sampling.
            max_tokens: Of the answer.
            stopped: Asked before every token.

        Raises:
            QuestionTooLongError, StoppedError: See there.
        """
        if len(prompt) + max_tokens > self._longest:
            raise QuestionTooLongError(
                f"the question has {len(prompt)} tokens and its answer may have {max_tokens}, "
                f"together more than {self._longest}"
            )
        matcher = xgrammar.GrammarMatcher(
            self._compiler.compile_json_schema(
                json.dumps(schema), any_whitespace=False, separators=(", ", ": ")
            )
        )
        generator = torch.Generator().manual_seed(seed)
        reader = _Reader(self._model)
        unread, answer, chosen = list(prompt), list[int](), 0
        with torch.inference_mode(), _threads(self._threads):
            while not matcher.is_completed() and len(answer) < max_tokens:
                if stopped():
                    raise StoppedError
                forced = self._forced(matcher)
                if not forced:
                    allowed = self._allowed(matcher)
                    if len(allowed) > 1:
                        state = reader.read(unread)
                        unread = []
                        forced = [self._choose(allowed, state, temperature, generator)]
                        chosen += 1
                    else:
                        forced = [int(allowed[0])]
                    if not matcher.accept_token(forced[0]):
                        raise RuntimeError(f"the grammar refuses its own token {forced[0]}")
                answer += forced
                unread += forced
        complete = matcher.is_completed() and len(answer) <= max_tokens
        text = self._tokenizer.decode(answer, skip_special_tokens=False)
        return Written(text, complete, len(prompt), len(answer), chosen)

    def _forced(self, matcher: Any) -> list[int]:
        """Tokens of the text that must follow, accepted; a word that is only begun is left out.

        The model reads a word best in the tokens in which it always comes.
        """
        text = _BEGUN_WORD.sub("", matcher.find_jump_forward_string())
        if not text or not matcher.accept_string(text):
            return []
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _allowed(self, matcher: Any) -> NDArray[np.int64]:
        """Tokens that may follow."""
        mask = xgrammar.allocate_token_bitmask(1, self._vocabulary)
        matcher.fill_next_token_bitmask(mask)
        bits = np.unpackbits(mask.numpy().view(np.uint8), bitorder="little")
        return np.flatnonzero(bits[: self._vocabulary])

    def _choose(
        self,
        allowed: NDArray[np.int64],
        state: torch.Tensor,
        temperature: float,
        generator: torch.Generator,
    ) -> int:
        index = torch.from_numpy(allowed)
        if len(allowed) <= FEW:
            scores = self._scores[index] @ state
        else:
            scores = (self._scores @ state)[index]
        if temperature <= 0.0:
            return int(allowed[int(scores.argmax())])
        shares = torch.softmax(scores / temperature, dim=0)
        return int(allowed[int(torch.multinomial(shares, 1, generator=generator))])


class _Reader:
    """Reads tokens, and remembers what it has read."""

    def __init__(self, model: Any) -> None:
        self._body = model.get_decoder()
        self._past = transformers.DynamicCache(config=model.config)

    def read(self, tokens: list[int]) -> torch.Tensor:
        """State (width,) after the last of the tokens."""
        ids = torch.tensor([tokens])
        out = self._body(input_ids=ids, cache=self._past, use_cache=True)
        state: torch.Tensor = out.last_hidden_state[0, -1]
        return state


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """PyTorch has one setting for the whole process; others find it as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
