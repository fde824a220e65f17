"""The library: accepted tasks with where they come from and what was measured, and rejected ones.

    tasks/<Name>.yaml        the task, which every node finds by its name
    solvers/<Name>*.yaml     solver configurations that only it uses
    records/<Name>.json      provenance and verification
    rejected/<Name>-<n>.json what was proposed and why it was not accepted

The task file is written last and removed first: who looks sees a whole task or none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensim2_control.atomic_file import write_atomically
from gensim2_tasks.asset_files import AssetError, read_file
from gensim2_tasks.catalogue import task_names
from gensim2_tasks.strict_yaml import YamlError, load_yaml
from gensim2_tasks.task_library import MAX_BYTES, SOLVERS, TASKS

from .candidate import Candidate, CandidateError, Document, Origin, make_candidate
from .examples import Example, nearest
from .novelty import Novelty
from .source import Proposed
from .verdict import Verdict

RECORDS, REJECTED, LOCK = "records", "rejected", ".lock"
NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")
MAX_RECORD = 2_000_000  # bytes
NAMELESS = "Nameless"
Write = Callable[[Path, bytes], None]


class LibraryError(ValueError):
    """A task is not in the library, or a file of it is broken; says which and how to mend it."""


class TaskLibrary:
    """A library in a folder, which is made with the first task.

    Args:
        folder: The folder.
        software: Versions, for the records.
        today: Gives the time.
        write: Writes a file, all of it or nothing.
    """

    def __init__(
        self,
        folder: Path,
        software: Mapping[str, Any] | None = None,
        today: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
        write: Write = write_atomically,
    ) -> None:
        self.folder = folder
        self._software, self._today, self._write = dict(software or {}), today, write

    def names(self) -> list[str]:
        """Names of the accepted tasks, sorted."""
        return sorted(
            f.stem for f in self._files(TASKS, ".yaml") if NAME.fullmatch(f.stem) is not None
        )

    def load(self, name: str) -> Candidate:
        """An accepted task.

        Raises:
            LibraryError: There is none of this name, or a file of it is broken.
        """
        document = self._document(TASKS, self._known(name))
        solvers = {
            solver: self._document(SOLVERS, solver)
            for subtask in _listed(document, "subtasks")
            for solver in _listed(subtask, "solvers")
            if isinstance(solver, str) and self._has_solver(solver)
        }
        try:
            return make_candidate(document, solvers, self._origin(name))
        except CandidateError as error:
            raise LibraryError(f"{self._file(TASKS, name)}: {error}") from None

    def record(self, name: str) -> Mapping[str, Any]:
        """Provenance and verification of an accepted task.

        Raises:
            LibraryError: See `load`.
        """
        file = self.folder / RECORDS / f"{self._known(name)}.json"
        return _read_json(file)

    def rejected(self) -> list[Mapping[str, Any]]:
        """Records of all rejections, the latest last; broken files are left out."""
        found = []
        for file in sorted(self._files(REJECTED, ".json"), key=lambda f: (f.lstat().st_mtime, f)):
            with contextlib.suppress(LibraryError):
                found.append(_read_json(file))
        return found

    def add(self, candidate: Candidate, verdict: Verdict, novelty: Novelty) -> Path:
        """Keeps an accepted task; returns its file.

        Raises:
            LibraryError: There is one of this name.
            OSError: It cannot be written; nothing of it is seen.
        """
        record = {
            **self._record(candidate),
            "novelty": dataclasses.asdict(novelty),
            "verification": dataclasses.asdict(verdict) | {"pass_rate": verdict.pass_rate},
        }
        with self._locked():
            if self._file(TASKS, candidate.name).exists():
                raise LibraryError(f"{self.folder} has a task {candidate.name} already")
            self._put(candidate, record)
        return self._file(TASKS, candidate.name)

    def reject(
        self, proposed: Proposed, stage: str, reason: str, verdict: Verdict | None = None
    ) -> Path:
        """Keeps the record of a rejection; returns its file.

        Raises:
            OSError: It cannot be written.
        """
        record: dict[str, Any] = {"stage": stage, "reason": reason}
        if isinstance(proposed, Candidate):
            record |= self._record(proposed) | {"files": proposed.files()}
        else:
            record |= dataclasses.asdict(proposed) | {"date": self._today().isoformat()}
        if verdict is not None:
            record["verification"] = dataclasses.asdict(verdict) | {"pass_rate": verdict.pass_rate}
        name = proposed.name if NAME.fullmatch(proposed.name) else NAMELESS
        with self._locked():
            folder = self._folder(REJECTED)
            there = {f.name for f in self._files(REJECTED, ".json")}
            number = next(n for n in range(1, len(there) + 2) if f"{name}-{n}.json" not in there)
            file = folder / f"{name}-{number}.json"
            self._write(file, _json(record))
        return file

    def remove(self, name: str) -> None:
        """Removes an accepted task.

        Raises:
            LibraryError: There is none of this name.
            OSError: It cannot be removed.
        """
        with self._locked():
            self._known(name)
            own = self._own_solvers(name)
            self._file(TASKS, name).unlink()
            for solver in own:
                self._file(SOLVERS, solver).unlink(missing_ok=True)
            (self.folder / RECORDS / f"{name}.json").unlink(missing_ok=True)

    def export(self, names: Sequence[str], folder: Path) -> None:
        """Copies tasks into another library.

        Raises:
            LibraryError: One of them is unknown, or there already.
            OSError: It cannot be written.
        """
        other = TaskLibrary(folder, self._software, self._today, self._write)
        found = [(self.load(name), self.record(name)) for name in names]
        with other._locked():
            for candidate, _ in found:
                if other._file(TASKS, candidate.name).exists():
                    raise LibraryError(f"{folder} has a task {candidate.name} already")
            for candidate, record in found:
                other._put(candidate, record)

    def search(self, words: str) -> list[str]:
        """Names of the accepted tasks that have all the words in name, instruction or objects."""
        wanted = words.lower().split()
        return [name for name in self.names() if all(w in self._text(name) for w in wanted)]

    def examples(self, words: str, most: int) -> list[Example]:
        """Accepted and rejected tasks that are the nearest to words, so many of each."""
        every = []
        for record in self.rejected():
            every.append(_example(record, False))
        for name in self.names():
            with contextlib.suppress(LibraryError):
                every.append(_example(self.record(name), True))
        return nearest(every, words, most)

    def _put(self, candidate: Candidate, record: Mapping[str, Any]) -> None:
        """Writes a task; the task file, by which it is found, comes last."""
        for kind in (SOLVERS, RECORDS, TASKS):
            self._folder(kind)
        *solvers, task = candidate.files().items()
        for path, text in solvers:
            self._write(self.folder / path, text.encode())
        self._write(self.folder / RECORDS / f"{candidate.name}.json", _json(record))
        self._write(self.folder / task[0], task[1].encode())

    def _record(self, candidate: Candidate) -> dict[str, Any]:
        return {
            "name": candidate.name,
            "instruction": candidate.task.instruction,
            "objects": [o.category for o in candidate.task.objects],
            "origin": dataclasses.asdict(candidate.origin),
            "date": self._today().isoformat(),
            "software": self._software,
        }

    def _origin(self, name: str) -> Origin:
        """Of a task; one whose record is lost is as good as any other."""
        try:
            plain = dict(self.record(name)["origin"])
            plain["tokens"] = tuple(plain["tokens"])
            plain["examples"] = tuple(plain["examples"])
            plain["repairs"] = tuple(plain["repairs"])
            return Origin(**plain)
        except (LibraryError, KeyError, TypeError, ValueError):
            return Origin("unknown")

    def _text(self, name: str) -> str:
        try:
            task = self.load(name).task
        except LibraryError:
            return name.lower()
        things = " ".join(f"{o.name} {o.category}" for o in task.objects)
        return f"{name} {task.instruction} {things}".lower()

    def _known(self, name: str) -> str:
        if NAME.fullmatch(name) is None or name not in self.names():
            raise LibraryError(
                f"{self.folder} has no task {name[:80]!r}; "
                "ros2 run gensim2_generation library list shows all"
            )
        return name

    def _own_solvers(self, name: str) -> list[str]:
        """Solver configurations that only this task uses."""
        shared = [n for n in [*self.names(), *task_names()] if n != name and n.startswith(name)]
        return [
            f.stem
            for f in self._files(SOLVERS, ".yaml")
            if f.stem.startswith(name) and not any(f.stem.startswith(n) for n in shared)
        ]

    def _has_solver(self, name: str) -> bool:
        return any(f.stem == name for f in self._files(SOLVERS, ".yaml"))

    def _document(self, kind: str, name: str) -> Document:
        file = self._file(kind, name)
        try:
            if file.is_symlink():
                raise LibraryError(f"{file} is a link: tasks of a library are files of its own")
            text = read_file(file, needed="it was there a moment ago", limit=MAX_BYTES)
            document = load_yaml(text.decode("utf-8"))
        except (AssetError, YamlError, UnicodeDecodeError) as error:
            raise LibraryError(f"{file}: {error}; remove or mend it") from None
        if not isinstance(document, dict):
            raise LibraryError(f"{file}: no task: a mapping is expected; remove or mend it")
        return document

    def _file(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}.yaml"

    def _files(self, kind: str, suffix: str) -> list[Path]:
        try:
            with os.scandir(self.folder / kind) as entries:
                return [
                    Path(e.path)
                    for e in entries
                    if e.name.endswith(suffix)
                    and not e.name.startswith(".")
                    and e.is_file(follow_symlinks=False)
                ]
        except FileNotFoundError:
            return []

    def _folder(self, kind: str) -> Path:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one process changes a library at a time; readers need not wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _listed(document: Any, key: str) -> list[Any]:
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _read_json(file: Path) -> Mapping[str, Any]:
    try:
        text = read_file(file, needed="it says where a task comes from", limit=MAX_RECORD)
        found = json.loads(text)
    except (AssetError, ValueError) as error:
        raise LibraryError(f"{file}: {error}") from None
    if not isinstance(found, dict):
        raise LibraryError(f"{file}: no record")
    return found


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, indent=1, allow_nan=True).encode()


def _example(record: Mapping[str, Any], accepted: bool) -> Example:
    def text(key: str) -> str:
        value = record.get(key)
        return value[:300] if isinstance(value, str) else ""

    return Example(text("name"), text("instruction"), accepted, "" if accepted else text("reason"))
