"""Reading what a language model answers: with the type that was asked for, or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .source import SourceError

MAX_ANSWER = 200_000  # characters; the longest answer that is asked for has about 10 000
MOST_MISTAKES, LONGEST = 6, 300  # of a reason, and characters of each of them
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"^```[a-z]*\s*\n(?P<inside>.*?)\n?```\s*$", re.DOTALL)
Wanted = TypeVar("Wanted", bound=BaseModel)


class AnswerError(ValueError):
    """An answer is not what was asked for; the message says why, for the model to mend it."""


class UnusableReplyError(SourceError):
    """One reply of a server is of no use, such as one that is far too long; others may be."""


def read_answer(text: str, kind: type[Wanted]) -> Wanted:
    """Reads an answer.

    Args:
        text: JSON; thoughts before it and marks around it, as models like to set them, are left
            out.
        kind: What was asked for.

    Raises:
        AnswerError: It is none, or not of the type.
    """
    if len(text) > MAX_ANSWER:
        raise AnswerError(f"the answer has {len(text)} characters, more than {MAX_ANSWER}")
    text = _THOUGHT.sub("", text).strip()
    fenced = _FENCED.match(text)
    try:
        return kind.model_validate_json(fenced["inside"] if fenced else text)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
    except UnicodeEncodeError:
        raise AnswerError("the answer has characters that no text can have") from None
    said = [_explained(e) for e in found[:MOST_MISTAKES]]
    if len(found) > MOST_MISTAKES:
        said.append(f"and {len(found) - MOST_MISTAKES} more")
    if found and found[0]["type"] == "json_invalid":
        said.append(f"it begins {quoted(text, 60)}" if text.strip() else "it is empty")
    raise AnswerError("; ".join(said))


def _explained(error: Mapping[str, Any]) -> str:
    where = ".".join(plain(str(part), 40) for part in error["loc"])
    what = plain(str(error["msg"]).removeprefix("Value error, "), LONGEST)
    return f"{where}: {what}" if where else what


def plain(text: str, most: int = LONGEST) -> str:
    """A text as one line without control characters and marks of direction, and not too long."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 2 * most])
    line = " ".join(line.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def quoted(text: str, most: int = 100) -> str:
    """Words of a model in a reason."""
    return f"'{plain(text, most)}'"
