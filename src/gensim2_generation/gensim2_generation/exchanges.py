"""Every question and answer on record, and asking the record instead of a model.

A record is a file of JSON lines; pictures lie beside it, named by their SHA-256. A question is
found again by the hash of its words, schema and settings: its first answer the first time, and so
on.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from pathlib import Path
from typing import Any

from gensim2_control.atomic_file import write_atomically
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import prompting
from .answers import UnusableReplyError, plain
from .asking import Answer, Ask, Model
from .seeing import without_captions
from .source import SourceError

IMAGES = "images"  # folder beside the record
LONGEST = 5_000_000  # characters of a line
LARGEST = 500_000_000  # bytes of a record


class Exchange(BaseModel):
    """A line of the record.

    Attributes:
        stage: Of the pipeline.
        model: That was asked.
        prompts: Version of the prompts.
        question: Hash; see `question_hash`.
        system: What the model was told that it is.
        user: What it was asked.
        images: Names of the pictures.
        temperature: Of sampling.
        seed: Of sampling.
        max_tokens: Of the answer.
        answer: As it came.
        error: Why there was none of use; empty = there was.
        tokens: Read and written.
        cost: In the currency of the price list.
        seconds: Wall time.
        retries: Times it was asked again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    stage: str
    model: str
    prompts: str
    question: str = Field(pattern="^[0-9a-f]{64}$")
    system: str
    user: str
    images: tuple[str, ...] = ()
    temperature: float
    seed: int
    max_tokens: int
    answer: str = ""
    error: str = ""
    tokens: tuple[int, int] = (0, 0)
    cost: float = 0.0
    seconds: float = 0.0
    retries: int = 0


def question_hash(question: Ask) -> str:
    """Hash of a question.

    Its pictures do not count, nor what is said about them: another renderer gives other pixels,
    and a planner that has less time another motion.
    """
    parts: dict[str, Any] = {
        "stage": question.stage,
        "system": question.system,
        "user": without_captions(question.user),
        "schema": _as_floats(question.schema),
        "temperature": question.temperature,
        "seed": question.seed,
        "max_tokens": question.max_tokens,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _as_floats(value: Any) -> Any:
    """A document whose whole numbers are floats.

    Python takes types with the bounds 0 and 0.0 for the same one, and keeps the one it has met
    first: which, is another thing in every process.
    """
    if isinstance(value, dict):
        return {k: _as_floats(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_as_floats(v) for v in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class RecordingModel:
    """A `Model` that asks another and writes down what was said.

    Args:
        model: That is asked.
        file: JSON lines are added to it; its folder exists.
    """

    def __init__(self, model: Model, file: Path) -> None:
        self.name, self._model, self._file = model.name, model, file

    def ask(self, question: Ask) -> Answer:
        """See `Model`.

        Raises:
            SourceError: Also where the record cannot be written.
        """
        try:
            answer = self._model.ask(question)
        except UnusableReplyError as error:
            self._write(question, Answer("", self.name), str(error))
            raise
        self._write(question, answer)
        return answer

    def _write(self, question: Ask, answer: Answer, error: str = "") -> None:
        exchange = Exchange(
            stage=question.stage,
            model=answer.model,
            prompts=prompting.version(),
            question=question_hash(question),
            system=question.system,
            user=question.user,
            images=tuple(_name(png) for png in question.images),
            temperature=question.temperature,
            seed=question.seed,
            max_tokens=question.max_tokens,
            answer=_writable(answer.text),
            error=error,
            tokens=answer.tokens,
            cost=answer.cost,
            seconds=answer.seconds,
            retries=answer.retries,
        )
        try:
            for name, png in zip(exchange.images, question.images, strict=True):
                self._keep(name, png)
            with self._file.open("a", encoding="utf-8") as file:
                file.write(exchange.model_dump_json() + "\n")
                file.flush()
        except OSError as problem:
            raise SourceError(f"the exchange cannot be recorded: {problem}") from None

    def _keep(self, name: str, png: bytes) -> None:
        folder = self._file.parent / IMAGES
        folder.mkdir(exist_ok=True)
        if not (folder / name).exists():
            write_atomically(folder / name, png)


class ReplayModel:
    """A `Model` that answers from a record, bit for bit.

    Args:
        file: Of a `RecordingModel`.

    Attributes:
        system: What the model was told that it is; backends tell it other things.

    Raises:
        SourceError: It cannot be read, or is none.
    """

    def __init__(self, file: Path) -> None:
        exchanges = read_exchanges(file)
        if not exchanges:
            raise SourceError(f"{file}: holds no exchange")
        self.name = exchanges[0].model
        self.system = exchanges[0].system
        self._answers: dict[str, deque[Exchange]] = {}
        for exchange in exchanges:
            self._answers.setdefault(exchange.question, deque()).append(exchange)

    def ask(self, question: Ask) -> Answer:
        """See `Model`.

        Raises:
            SourceError: It was never asked; names the stage.
        """
        left = self._answers.get(question_hash(question))
        if not left:
            known = "was asked, but not as often" if left is not None else "was never asked"
            raise SourceError(
                f"replay: the question of stage {question.stage!r} {known}; a record answers the "
                "run that it was made of: same request, options, prompts and library"
            )
        found = left.popleft()
        if found.error:
            raise UnusableReplyError(found.error)
        return Answer(
            text=_spoken(found.answer),
            model=found.model,
            tokens=found.tokens,
            cost=found.cost,
            seconds=found.seconds,
            retries=found.retries,
        )


def read_exchanges(file: Path) -> list[Exchange]:
    """Reads a record; a last line that was cut off is left out.

    Raises:
        SourceError: It cannot be read, or a line is wrong.
    """
    found: list[Exchange] = []
    try:
        if not file.is_file():
            raise SourceError(f"{file}: there is no such record of exchanges")
        if file.stat().st_size > LARGEST:
            raise SourceError(f"{file}: larger than {LARGEST // 1_000_000} MB: is it a record?")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read: {error}") from None
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST:
                raise ValueError(f"{len(line)} characters")
            found.append(Exchange.model_validate_json(line))
        except ValueError as error:
            if number == len(lines):
                break
            said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            raise SourceError(f"{file}: line {number} is no exchange: {plain(str(said))}") from None
    return found


def _name(png: bytes) -> str:
    return f"{hashlib.sha256(png).hexdigest()}.png"


_RAW = "base64:"


def _writable(text: str) -> str:
    """An answer as text that a file can hold: not every string is one."""
    try:
        text.encode("utf-8")
        fits = not text.startswith(_RAW)
    except UnicodeEncodeError:
        fits = False
    if not fits:
        return _RAW + base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    return text


def _spoken(text: str) -> str:
    if text.startswith(_RAW):
        return base64.b64decode(text[len(_RAW) :]).decode("utf-8", "surrogatepass")
    return text
