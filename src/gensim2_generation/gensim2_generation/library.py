"""The library: accepted tasks with where they come from and what was measured, and rejected ones.

    tasks/<Name>.yaml        the task, which every node finds by its name
    solvers/<Name>*.yaml     solver configurations that only it uses
    records/<Name>.json      provenance and verification
    rejected/<Name>-<n>.json what was proposed and why it was not accepted

The task file is written last and removed first: who looks sees a whole task or none. What lies in
the folder may come from anybody: links are not followed, files have bounds, and one that is broken
is told of and spoils nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensim2_control.atomic_file import write_atomically
from gensim2_tasks.task_library import SOLVERS, TASKS

from .candidate import Candidate, CandidateError, Origin, make_candidate
from .examples import Example, nearest
from .library_files import (
    LibraryError,
    check_folder,
    files,
    is_file,
    locked,
    read_document,
    read_record,
    record_bytes,
    strangers,
)
from .novelty import Novelty
from .source import Proposed
from .verdict import Verdict

RECORDS, REJECTED, LOCK = "records", "rejected", ".lock"
KINDS = {TASKS: ".yaml", SOLVERS: ".yaml", RECORDS: ".json", REJECTED: ".json"}
NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")
LATEST = 500  # rejections that are looked at for examples
NAMELESS = "Nameless"
Write = Callable[[Path, bytes], None]


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
        """Names of the accepted tasks, sorted; whether they can be read shows `load`."""
        found = files(self.folder / TASKS, ".yaml")
        return sorted(f.stem for f in found if NAME.fullmatch(f.stem) is not None)

    def check(self, name: str) -> str:
        """The name of an accepted task.

        Raises:
            LibraryError: There is none of this name.
        """
        if NAME.fullmatch(name) is None or not is_file(self._file(TASKS, name)):
            raise LibraryError(
                f"{self.folder} has no task {name[:80]!r}; "
                "ros2 run gensim2_generation library list shows all"
            )
        return name

    def problems(self) -> list[str]:
        """What is wrong in the folder, a line for each file."""
        found = []
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            found.append(f"{self.folder} is no folder")
        for kind, suffix in KINDS.items():
            try:
                check_folder(self.folder / kind)
            except LibraryError as error:
                found.append(str(error))
            for name in strangers(self.folder / kind, suffix):
                found.append(f"{self.folder / kind / name}: no file of a library, or a link")
        for file in files(self.folder / TASKS, ".yaml"):
            if NAME.fullmatch(file.stem) is None:
                found.append(f"{file}: no name of a task; it begins with a capital")
        for name in self.names():
            for read in (self.load, self.record):
                try:
                    read(name)
                except LibraryError as error:
                    found.append(str(error))
        return found

    def load(self, name: str) -> Candidate:
        """An accepted task.

        Raises:
            LibraryError: There is none of this name, or a file of it is broken.
        """
        document = read_document(self._file(TASKS, self.check(name)))
        solvers = {
            solver: read_document(self._file(SOLVERS, solver))
            for subtask in _listed(document, "subtasks")
            for solver in _listed(subtask, "solvers")
            if isinstance(solver, str) and self._has_solver(solver)
        }
        try:
            found = make_candidate(document, solvers, self._origin(name))
        except CandidateError as error:
            raise LibraryError(f"{self._file(TASKS, name)}: {error}") from None
        if found.name != name:
            raise LibraryError(f"{self._file(TASKS, name)}: says name {found.name!r}")
        return found

    def record(self, name: str) -> Mapping[str, Any]:
        """Provenance and verification of an accepted task.

        Raises:
            LibraryError: See `load`.
        """
        file = self.folder / RECORDS / f"{self.check(name)}.json"
        return read_record(file)

    def rejected(self, most: int = LATEST) -> list[Mapping[str, Any]]:
        """Records of so many rejections, the latest last; broken files are left out."""
        found = []
        there = files(self.folder / REJECTED, ".json")
        there.sort(key=lambda f: (f.lstat().st_mtime, f))
        for file in there[-most:]:
            with contextlib.suppress(LibraryError):
                found.append(read_record(file))
        return found

    def add(self, candidate: Candidate, verdict: Verdict, novelty: Novelty) -> Path:
        """Keeps an accepted task; returns its file.

        Raises:
            LibraryError: There is one of this name, or with a solver of the same name.
            OSError: It cannot be written; nothing of it is seen.
        """
        record = _json(
            {
                **self._record(candidate),
                "novelty": dataclasses.asdict(novelty),
                "verification": dataclasses.asdict(verdict) | {"pass_rate": verdict.pass_rate},
            }
        )
        with locked(self.folder / LOCK):
            self._check_room(candidate)
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
        with locked(self.folder / LOCK):
            folder = self._folder(REJECTED)
            there = {f.name for f in files(self.folder / REJECTED, ".json")}
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
        with locked(self.folder / LOCK):
            for kind in KINDS:
                self._check_own(kind)
            self.check(name)
            own = self._own_solvers(name)
            self._file(TASKS, name).unlink()
            for solver in own:
                self._file(SOLVERS, solver).unlink(missing_ok=True)
            (self.folder / RECORDS / f"{name}.json").unlink(missing_ok=True)

    def export(self, names: Sequence[str], folder: Path) -> None:
        """Copies tasks into another library.

        Raises:
            LibraryError: One of them is unknown, or there already; none is copied.
            OSError: It cannot be written.
        """
        other = TaskLibrary(folder, self._software, self._today, self._write)
        found = [(self.load(name), self._record_or_new(name)) for name in dict.fromkeys(names)]
        with locked(folder / LOCK):
            for candidate, _ in found:
                other._check_room(candidate)
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

    def _record_or_new(self, name: str) -> bytes:
        try:
            return record_bytes(self.folder / RECORDS / f"{name}.json")
        except LibraryError:
            return _json(self._record(self.load(name)))

    def _check_room(self, candidate: Candidate) -> None:
        """Refuses what would take the place of something that belongs to an accepted task."""
        if os.path.lexists(self._file(TASKS, candidate.name)):
            raise LibraryError(f"{self.folder} has a task {candidate.name} already")
        for solver in candidate.solvers:
            users = self._users(solver)
            if users:
                raise LibraryError(
                    f"{self.folder} has a solver {solver} already, of the task {users[0]}"
                )

    def _put(self, candidate: Candidate, record: bytes) -> None:
        """Writes a task; the task file, by which it is found, comes last."""
        for kind in (SOLVERS, RECORDS, TASKS):
            self._folder(kind)
        *solvers, task = candidate.files().items()
        for path, text in solvers:
            self._write(self.folder / path, text.encode())
        self._write(self.folder / RECORDS / f"{candidate.name}.json", record)
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
            plain["notes"] = tuple(plain.get("notes", ()))
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

    def _own_solvers(self, name: str) -> list[str]:
        """Solver configurations that only this task uses."""
        return [
            f.stem
            for f in files(self.folder / SOLVERS, ".yaml")
            if f.stem.startswith(name) and not set(self._users(f.stem)) - {name}
        ]

    def _users(self, solver: str) -> list[str]:
        """Accepted tasks that a solver configuration belongs to, or may belong to."""
        found = []
        # A solver of a task's own begins with the name of the task.
        for name in self.names():
            if not solver.startswith(name):
                continue
            try:
                steps = _listed(read_document(self._file(TASKS, name)), "subtasks")
            except LibraryError:
                found.append(name)  # nobody can tell
                continue
            if any(solver in _listed(step, "solvers") for step in steps):
                found.append(name)
        return found

    def _has_solver(self, name: str) -> bool:
        return name == Path(name).name and is_file(self._file(SOLVERS, name))

    def _file(self, kind: str, name: str) -> Path:
        return self.folder / kind / f"{name}.yaml"

    def _check_own(self, kind: str) -> None:
        try:
            check_folder(self.folder / kind)
        except LibraryError as error:
            # To who writes it is as a folder that cannot be written, and no fault of the task.
            raise OSError(str(error)) from None

    def _folder(self, kind: str) -> Path:
        self._check_own(kind)
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _listed(document: Any, key: str) -> list[Any]:
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, indent=1, allow_nan=True).encode()


def _example(record: Mapping[str, Any], accepted: bool) -> Example:
    def text(key: str) -> str:
        value = record.get(key)
        return value[:300] if isinstance(value, str) else ""

    return Example(text("name"), text("instruction"), accepted, "" if accepted else text("reason"))
