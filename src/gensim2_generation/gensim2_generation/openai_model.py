"""A language model behind any server that speaks the chat protocol of OpenAI.

Key and address come from the environment only: OPENAI_API_KEY and OPENAI_BASE_URL. What a server
says is neither trusted nor waited for without end: every reply is bounded in time and in size.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .answers import UnusableReplyError, plain
from .asking import Answer, Ask
from .backoff import Patience, wait_time
from .chat_reply import ReplyError, read_reply
from .source import SourceError
from .strict_schema import strict_schema

KEY, ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
LARGEST = 2_000_000  # bytes of a reply; the longest that is of use has some 30 000
POLL = 0.2  # s between two looks at whether it shall end
HIDDEN = "[key]"
# How the form of the answer is asked for, the strictest first.
SCHEMA, OBJECT, WORDS = "json_schema", "json_object", "words"
FORMS = (SCHEMA, OBJECT, WORDS)
_OF_FORM = ("response_format", "json_schema", "json_object", "schema", "structured", "grammar")
_NO_RETRY = ("insufficient_quota", "billing")
BUSY = (408, 409, 425, 429)


class TooLargeError(RuntimeError):
    """A reply is larger than any that is of use."""


@dataclass(frozen=True)
class Failure:
    """Why a try gave no answer.

    Attributes:
        text: In words.
        again: Whether another try may help.
        headers: Of the reply.
        useless: Whether it is about this one reply, and not about the server.
    """

    text: str
    again: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    useless: bool = False


class OpenAiModel:
    """A `Model`.

    Args:
        name: Of the model, as the server knows it.
        patience: How often and how long it is asked.
        seed: Of the waits.
        clock: Gives s.
        sleep: Waits so many s.
        cancelled: Asked while waiting whether to end.

    Raises:
        SourceError: The package is missing, or neither key nor address are set.
    """

    def __init__(
        self,
        name: str,
        *,
        patience: Patience | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = name
        self._patience = patience or Patience()
        self._clock, self._sleep, self._cancelled = clock, sleep, cancelled
        self._rng = np.random.default_rng(seed)
        self._key = os.environ.get(KEY, "").strip()
        self._client, self._errors = _client(self._key, self._patience)
        self._form = SCHEMA
        self._without: set[str] = set()
        self._limit_name = "max_tokens"

    def ask(self, question: Ask) -> Answer:
        """See `Model`.

        Raises:
            UnusableReplyError: There was a reply, but none of use.
        """
        began, failure = self._clock(), Failure("")
        for attempt in range(1, self._patience.tries + 1):
            found = self._settled(question)
            if isinstance(found, bytes):
                try:
                    text, tokens = read_reply(found, question)
                except ReplyError as error:
                    failure = Failure(self._shown(str(error)), again=True)
                else:
                    seconds = self._clock() - began
                    return Answer(self._hidden(text), self.name, tokens, 0.0, seconds, attempt - 1)
            else:
                failure = found
            if failure.useless:
                raise UnusableReplyError(failure.text)
            if not failure.again:
                raise SourceError(failure.text)
            if attempt < self._patience.tries:
                self._wait(wait_time(self._patience, attempt, failure.headers, self._rng))
        raise SourceError(f"{failure.text} (tried {self._patience.tries} times)")

    def _settled(self, question: Ask) -> bytes | Failure:
        """One try; what the server does not understand is left out at once."""
        while True:
            found = self._try(question)
            if not isinstance(found, _Refused):
                return found
            # Each time there is less to leave out.
            if not self._give_way(found):
                return Failure(self._shown(found.text))

    def _give_way(self, refused: _Refused) -> bool:
        """Leaves out what a server has refused; False = it has refused something else."""
        said = refused.text.lower()
        if "max_completion_tokens" in said and self._limit_name == "max_tokens":
            self._limit_name = "max_completion_tokens"
            return True
        for feature in ("temperature", "seed"):
            if feature in said and feature not in self._without:
                self._without.add(feature)
                return True
        if any(word in said for word in _OF_FORM) and self._form != WORDS:
            self._form = FORMS[FORMS.index(self._form) + 1]
            return True
        return False

    def _try(self, question: Ask) -> bytes | Failure | _Refused:
        """Sends the question in a thread of its own, which a hanging server may keep."""
        done: queue.Queue[bytes | Exception] = queue.Queue()
        request = self._request(question)

        def send() -> None:
            try:
                reply = self._client.chat.completions.with_raw_response.create(**request)
                done.put(bytes(reply.content))
            except Exception as error:
                done.put(error)

        threading.Thread(target=send, name="language-model", daemon=True).start()
        end = self._clock() + self._patience.request
        while True:
            self._check()
            try:
                found = done.get(timeout=POLL)
                break
            except queue.Empty:
                if self._clock() > end:
                    return Failure(
                        f"no whole reply within {self._patience.request:g} s", again=True
                    )
        return found if isinstance(found, bytes) else self._failure(found)

    def _failure(self, error: Exception) -> Failure | _Refused:
        errors = self._errors
        if isinstance(error, errors.APIStatusError):
            return self._of_status(error)
        if isinstance(error, errors.APITimeoutError):
            return Failure(f"{self._where()} does not answer in time", again=True)
        cause = error.__cause__ or error
        if isinstance(error, TooLargeError) or isinstance(cause, TooLargeError):
            return Failure(f"the reply is larger than {LARGEST // 1_000_000} MB", useless=True)
        if isinstance(error, errors.APIConnectionError):
            said = self._shown(f"{type(cause).__name__} {cause}")
            return Failure(
                f"{self._where()} cannot be reached, or breaks off: {said}. Does the server run? "
                f"{ADDRESS} says where it is",
                again=True,
            )
        return Failure(self._shown(f"{type(error).__name__}: {error}"), again=True)

    def _of_status(self, error: Any) -> Failure | _Refused:
        status, headers = int(error.status_code), dict(error.response.headers)
        said = self._shown(_message(error))
        if status in (401, 403):
            # What a server says of a wrong key may hold a part of it.
            return Failure(
                f"{self._where()} does not accept the key (status {status}): set the environment "
                f"variable {KEY} to one that is valid there, and {ADDRESS} to where it is",
            )
        if status == 404:
            return Failure(
                f"{self._where()} knows no model {plain(self.name, 60)!r}, or no chat there "
                f"(status 404): {said}. Give the name of a model that it has; {ADDRESS} usually "
                "ends with /v1",
            )
        if any(word in said.lower() for word in _NO_RETRY):
            return Failure(f"{self._where()}: the account has no credit left: {said}")
        if status in BUSY or status >= 500:
            return Failure(
                f"{self._where()} is busy or broken (status {status}): {said}", True, headers
            )
        if status in (400, 422):
            return _Refused(f"{self._where()} refuses the question (status {status}): {said}")
        return Failure(f"{self._where()} answers with status {status}: {said}")

    def _request(self, question: Ask) -> dict[str, Any]:
        schema = strict_schema(question.schema)
        system = question.system
        if self._form != SCHEMA:
            system += f"\n\nThe JSON schema of the answer: {json.dumps(schema)}"
        content: Any = question.user
        if question.images:
            content = [{"type": "text", "text": question.user}]
            content += [
                {"type": "image_url", "image_url": {"url": _url(i)}} for i in question.images
            ]
        request: dict[str, Any] = {
            "model": self.name,
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": content},
            ],
            self._limit_name: question.max_tokens,
        }
        if self._form == SCHEMA:
            named = {"name": question.stage, "schema": schema, "strict": True}
            request["response_format"] = {"type": SCHEMA, "json_schema": named}
        elif self._form == OBJECT:
            request["response_format"] = {"type": OBJECT}
        wanted = {"temperature": question.temperature, "seed": question.seed}
        return request | {k: v for k, v in wanted.items() if k not in self._without}

    def _wait(self, seconds: float) -> None:
        end = self._clock() + seconds
        left = seconds
        while left > 0.0:
            self._check()
            self._sleep(min(left, POLL))
            left = end - self._clock()

    def _check(self) -> None:
        if self._cancelled():
            raise SourceError("cancelled")

    def _where(self) -> str:
        host = self._client.base_url.host
        return f"the server {plain(self._hidden(str(host)), 60)}"

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, HIDDEN) if len(self._key) > 3 else text

    def _shown(self, text: str) -> str:
        return plain(self._hidden(text), 300)


@dataclass(frozen=True)
class _Refused:
    """The server does not like the question; it may like another form of it."""

    text: str


def _client(key: str, patience: Patience) -> tuple[Any, Any]:
    """The client, which asks once and reads no more than is of use, and the module of errors."""
    address = os.environ.get(ADDRESS, "").strip()
    if not key and not address:
        raise SourceError(
            f"no server to ask: set the environment variable {KEY}, or {ADDRESS} to a server of "
            "your own such as http://127.0.0.1:8000/v1"
        )
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise SourceError(f"{KEY} is no key: it has spaces, or characters that no key has")
    try:
        import openai
    except ImportError:
        raise SourceError(
            "the package openai is missing: run the command as ./ws --with generation ..."
        ) from None
    try:
        http = openai.DefaultHttpxClient(event_hooks={"response": [_bound]}, follow_redirects=False)
        timeout = openai.Timeout(patience.request, connect=patience.connect)
        client = openai.OpenAI(
            # A server of one's own may want none; the client wants something.
            api_key=key or "none",
            base_url=address or None,
            timeout=timeout,
            max_retries=0,
            http_client=http,
            # Packed, a small reply may be a large one.
            default_headers={"Accept-Encoding": "identity"},
        )
        if client.base_url.scheme not in ("http", "https") or not client.base_url.host:
            raise ValueError("it has to begin with http:// or https://")
    except Exception as error:
        said = plain(str(error).replace(key, HIDDEN) if key else str(error))
        raise SourceError(f"{ADDRESS} or {KEY} cannot be used: {said}") from None
    return client, openai


def _bound(response: Any) -> None:
    """Makes a response give up when it becomes too large, whatever it says of its length."""
    read = response.iter_bytes

    def bounded(chunk_size: int | None = None) -> Iterator[bytes]:
        total = 0
        for chunk in read(chunk_size):
            total += len(chunk)
            if total > LARGEST:
                raise TooLargeError(f"more than {LARGEST} bytes")
            yield chunk

    response.iter_bytes = bounded


def _message(error: Any) -> str:
    """What a server says of an error."""
    body = error.body
    if isinstance(body, Mapping):
        parts = [body.get(k) for k in ("message", "code", "param", "type", "detail")]
        return " ".join(str(p) for p in parts if p)
    return str(body or error.response.reason_phrase)


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
