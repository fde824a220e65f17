"""Worker processes that verify candidates, each with bounds of time and memory.

Whatever a candidate does to the planner or the physics, it ends with a verdict: a worker that
takes too long, needs too much memory or crashes is replaced, and the candidate is rejected.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from .candidate import Candidate
from .judging import Verifier, VerifyConfig
from .verdict import Verdict

POLL = 0.2  # s between two looks at whether a caller has lost patience
START_LIMIT = 120.0  # CPU s in which a worker has to be ready
WALL = 5.0  # s of wall time for each of CPU time, in which a busy machine has to give it


class VerifierError(RuntimeError):
    """No candidate can be verified at all, whatever it is; says why."""


class Canceled(RuntimeError):  # noqa: N818 - it is no error, but an end that was asked for
    """The pool is closed."""


@dataclass(frozen=True)
class Limits:
    """Of the verification of one candidate.

    Attributes:
        seconds: CPU time; five times as much wall time.
        gigabytes: Of address space of a worker; graphics and physics map about 3 themselves.
    """

    seconds: float = 180.0
    gigabytes: float = 12.0


class MakeVerifier(Protocol):
    """Makes the verifier, in the worker."""

    def __call__(self) -> Verifier:
        """See the class."""


@dataclass(frozen=True)
class MakeLaboratory:
    """A laboratory with the robot of this project.

    Attributes:
        asset_root: Folder of imported assets; empty = generated ones.
        config: How a candidate is judged.
    """

    asset_root: str = ""
    config: VerifyConfig = field(default_factory=VerifyConfig)

    def __call__(self) -> Verifier:
        """See `MakeVerifier`."""
        import logging

        from gensim2_control.description import resolve_packages, robot_description
        from gensim2_tasks.assets import AssetLibrary

        from .verifier import Laboratory

        # Drake reports every infeasible time law; the planner tries the next one.
        logging.getLogger("drake").setLevel(logging.CRITICAL)
        urdf = resolve_packages(robot_description())
        return Laboratory(urdf, AssetLibrary(self.asset_root or None), self.config)


class VerifyPool:
    """Verifies several candidates at once. To be used in a ``with`` statement.

    Args:
        jobs: Processes.
        make: Makes the verifier, in each of them.
        limits: Of one candidate.
    """

    def __init__(self, jobs: int, make: MakeVerifier, limits: Limits | None = None) -> None:
        self._make, self._limits = make, limits or Limits()
        self._closed = threading.Event()
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="verify")
        self._local = threading.local()
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()

    def __enter__(self) -> VerifyPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def submit(self, candidate: Candidate) -> Future[Verdict]:
        """Verifies a candidate; candidates are begun in the order in which they come.

        The future raises `VerifierError` where a worker cannot even start, `Canceled` after
        `close`.
        """
        return self._threads.submit(self._verify, candidate)

    def verify(self, candidate: Candidate) -> Verdict:
        """See `Verifier`; waits.

        Raises:
            VerifierError, Canceled: See `submit`.
        """
        return self.submit(candidate).result()

    def close(self) -> None:
        """Ends the workers, whatever they are doing."""
        self._closed.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for worker in self._workers:
                worker.end()

    def _verify(self, candidate: Candidate) -> Verdict:
        began = time.monotonic()
        worker = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = _Worker(self._make, self._limits)
            with self._lock:
                self._workers.append(worker)
        try:
            outcome = worker.run(candidate, self._closed)
        except _LostError as error:
            reason = str(error)
            return Verdict(False, "limits", reason, (), time.monotonic() - began)
        if isinstance(outcome, Verdict):
            return outcome
        return Verdict(False, "limits", str(outcome), (), time.monotonic() - began)


class _LostError(RuntimeError):
    """A worker is gone; says why."""


class _Worker:
    """One process."""

    def __init__(self, make: MakeVerifier, limits: Limits) -> None:
        self._make, self._limits = make, limits
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def run(self, candidate: Candidate, closed: threading.Event) -> Any:
        """The verdict, or what went wrong in words."""
        if self._process is None:
            self._start(closed)
        pipe = self._pipe
        assert pipe is not None
        try:
            pipe.send(candidate)
            seconds = self._limits.seconds
            return self._receive(closed, WALL * seconds, self._used() + seconds)
        except TimeoutError:  # an OSError too
            self.end()
            raise _LostError(f"not done within {self._limits.seconds:g} s of CPU time") from None
        except (EOFError, OSError):
            process = self._process
            assert process is not None
            process.join()
            code = process.exitcode
            self.end()
            raise _LostError(f"the process that ran it has crashed (exit code {code})") from None

    def end(self) -> None:
        """Kills the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _start(self, closed: threading.Event) -> None:
        # Not forked: neither Drake nor the physics may be used on both sides of a fork.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work,
            args=(theirs, self._make, self._limits.gigabytes, os.getpid()),
            daemon=True,
        )
        self._process.start()
        theirs.close()
        try:
            ready = self._receive(closed, WALL * START_LIMIT, START_LIMIT)
        except (EOFError, OSError, TimeoutError):
            self.end()
            raise VerifierError("the process that verifies tasks does not start") from None
        if ready is not None:
            self.end()
            raise VerifierError(f"no task can be verified: {ready}")

    def _used(self) -> float:
        """CPU time of the process so far, s."""
        assert self._process is not None
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return 0.0
        # The second field, a name in brackets, may hold spaces.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _receive(self, closed: threading.Event, limit: float, cpu: float = math.inf) -> Any:
        pipe, end = self._pipe, time.monotonic() + limit
        assert pipe is not None
        while not pipe.poll(POLL):
            if closed.is_set():
                self.end()
                raise Canceled("the verification has been given up")
            if time.monotonic() > end or self._used() > cpu:
                raise TimeoutError
        return pipe.recv()


def _work(pipe: Connection, make: MakeVerifier, gigabytes: float, parent: int) -> None:
    """What a process does."""
    # Ctrl-C reaches all processes of a terminal; the first of them ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        size = int(gigabytes * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    try:
        verifier = make()
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
        return
    # Who asks may be gone: then nobody waits for an answer.
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while os.getppid() == parent:
            pipe.send(_answer(verifier, pipe.recv(), gigabytes))


def _answer(verifier: Verifier, candidate: Candidate, gigabytes: float) -> Verdict | str:
    """The verdict, or what went wrong in words."""
    try:
        return verifier.verify(candidate)
    except MemoryError:
        return f"it needs more than {gigabytes:g} GB of memory"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]
