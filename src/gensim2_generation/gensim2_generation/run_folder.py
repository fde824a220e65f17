"""The record of a run: what was asked for, and every decision, line by line, as it is made."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from gensim2_control.atomic_file import write_atomically
from pydantic import AfterValidator, TypeAdapter, ValidationError

from .outcome import Decision
from .source import Wanted
from .verdict import Verdict

REQUEST, DECISIONS, EXCHANGES = "run.json", "decisions.jsonl", "exchanges.jsonl"
LONGEST = 1_000_000  # characters of a line
MOST = 1e15  # of any figure; beyond it nothing was measured, and sums of it overflow


class RunError(ValueError):
    """A folder is no run, or of another request; says what is wrong."""


@dataclass(frozen=True)
class RunRequest:
    """What a run was asked for.

    Attributes:
        wanted: Mode, targets and seed.
        backend: Who proposes.
        num_tasks: To be accepted.
        settings: Further ones, for the record.
        software: Versions.
    """

    wanted: Wanted
    backend: str
    num_tasks: int
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    software: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def _measured(decision: Decision) -> Decision:
    """Refuses figures that no table can hold."""
    for name, value in vars(decision).items():
        if isinstance(value, int | float) and not abs(value) <= MOST:
            raise ValueError(f"{name} is no figure")
    return decision


_DECISION = TypeAdapter(Annotated[Decision, AfterValidator(_measured)])
_REQUEST = TypeAdapter(RunRequest)


class RunFolder:
    """A folder of one run; made where it is missing, gone on with where it is there.

    Args:
        path: The folder.
        request: What is asked for.

    Raises:
        RunError: It holds a run of another request, or cannot be read.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, request: RunRequest) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        file = path / REQUEST
        if file.exists():
            known = read_request(path)
            if (known.wanted, known.backend) != (request.wanted, request.backend):
                raise RunError(
                    f"{path} is a run of the backend {known.backend} for {_words(known.wanted)}, "
                    f"not of {request.backend} for {_words(request.wanted)}; name another folder"
                )
            _end_last_line(path / DECISIONS)
        write_atomically(file, json.dumps(dataclasses.asdict(request), indent=2).encode())

    def before(self) -> tuple[Decision, ...]:
        """Decisions that were made already."""
        return tuple(decision for decision, _ in read_decisions(self.path))

    def decided(self, decision: Decision, verdict: Verdict | None) -> None:
        """Writes a decision down; it stays whatever happens next."""
        line = {
            "decision": dataclasses.asdict(decision),
            "verdict": None if verdict is None else dataclasses.asdict(verdict),
        }
        with (self.path / DECISIONS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _end_last_line(file: Path) -> None:
    """Cuts a line off that was not written to its end: the next one must not become its rest."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return
    if data and not data.endswith(b"\n"):
        with file.open("r+b") as open_file:
            open_file.truncate(data.rfind(b"\n") + 1)
            os.fsync(open_file.fileno())


def read_request(folder: Path) -> RunRequest:
    """What a run was asked for.

    Raises:
        RunError: The folder holds no run.
    """
    file = folder / REQUEST
    try:
        return _REQUEST.validate_python(json.loads(_text(file)))
    except ValidationError as error:
        said = _mistake(error)
    except (OSError, ValueError, RecursionError) as error:
        said = str(error)
    raise RunError(f"{file} holds no run of a generation: {said}")


def read_decisions(folder: Path) -> list[tuple[Decision, Mapping[str, Any] | None]]:
    """All decisions of a run with their verdicts as plain data; a line that was cut is left out.

    Raises:
        RunError: A line is something else.
    """
    file = folder / DECISIONS
    try:
        lines = _text(file).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{file}: {error}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            read = json.loads(line[:LONGEST])
            found.append((_DECISION.validate_python(read["decision"]), read["verdict"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            if number == len(lines):
                continue  # the power failed while it was written
            said = _mistake(error) if isinstance(error, ValidationError) else str(error)
            raise RunError(f"{file}, line {number}: no decision: {said}") from None
    return found


def _mistake(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


def _text(file: Path) -> str:
    """Of an ordinary file: a pipe would never end."""
    if file.exists() and not file.is_file():
        raise OSError("it is no ordinary file")
    return file.read_text(encoding="utf-8", errors="replace")


def _words(wanted: Wanted) -> str:
    told = [f"{name} {value!r}" for name, value in dataclasses.asdict(wanted).items() if value]
    return ", ".join(told)
