"""Reading the reply of a chat server: of all that it says, the text and the count of tokens."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .answers import quoted
from .asking import Ask
from .budget import LETTERS, estimate


class ReplyError(ValueError):
    """A reply is not what the protocol says; the message says what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Message(_Part):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Part):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int = Field(0, ge=0, le=10**9)
    completion_tokens: int = Field(0, ge=0, le=10**9)


class _Completion(_Part):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_reply(data: bytes, question: Ask) -> tuple[str, tuple[int, int]]:
    """Text of the answer, and tokens read and written.

    Args:
        data: Of the reply.
        question: For its tokens, where the server does not count them.

    Raises:
        ReplyError: It is no chat completion.
    """
    try:
        found = _Completion.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        begin = quoted(data[:200].decode("utf-8", "replace"), 60)
        where = ".".join(str(p) for p in first["loc"]) or "reply"
        raise ReplyError(
            f"the server answers with no chat completion ({where}: {first['msg']}; it begins "
            f"{begin}); OPENAI_BASE_URL usually ends with /v1"
        ) from None
    message = found.choices[0].message
    text = message.content or message.refusal or ""
    if found.usage is None:
        return text, (estimate(question), int(len(text) / LETTERS) + 1)
    return text, (found.usage.prompt_tokens, found.usage.completion_tokens)
