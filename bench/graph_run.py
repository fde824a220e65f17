"""One launch of the main job in a ROS domain of its own: what it prints, uses and leaves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from figures import BenchError
from processes import Usage, marked, pss, usage

GUARD = 300.0
"""Longest wait for anything of a launch, s."""
_POLL = 0.05
_SHOWN = 15  # lines of a launch that an error shows
_DEATH = re.compile(r"\[([\w-]+-\d+)\]: process has died")
_ATTEMPT = re.compile(r"\b\w+ \d+/\d+ +\w+ +[\d.]+ s +success rate")


def telling(lines: Sequence[str]) -> str:
    """Picks the lines of a launch that tell why it failed.

    The first process that died is the cause; the others were ended because of it.
    """
    first = next((m for m in map(_DEATH.search, lines) if m), None)
    if first is not None:
        name = first[1]
        lines = [line for line in lines if f"[{name}]" in line]
    return "\n".join(lines[-_SHOWN:])


@dataclass(frozen=True)
class Moment:
    """What the processes had used at some time.

    Attributes:
        t: Monotonic time, s.
        processes: By process id.
    """

    t: float
    processes: dict[int, Usage]

    def cpu_since(self, earlier: Moment | None = None) -> dict[str, float]:
        """Gives the CPU time by name of the process, s."""
        before = {} if earlier is None else earlier.processes
        total: dict[str, float] = {}
        for pid, used in self.processes.items():
            spent = used.cpu - (before[pid].cpu if pid in before else 0.0)
            total[used.name] = total.get(used.name, 0.0) + spent
        return total


@dataclass
class MemoryPeak:
    """The moment in which the processes together held most memory.

    Attributes:
        total: Bytes.
        processes: Bytes by name of the process.
        samples: Looks so far.
    """

    total: int = 0
    processes: dict[str, int] = field(default_factory=dict)
    samples: int = 0


class GraphRun:
    """`ros2 launch gensim2 sim_collect.launch.py` in a process group of its own."""

    def __init__(self, folder: Path, domain: int, arguments: Sequence[str]) -> None:
        """Starts it.

        Args:
            folder: For its log.
            domain: Its ROS domain.
            arguments: Of the launch file, `name:=value`.

        Raises:
            BenchError: There is no command `ros2`.
        """
        command = shutil.which("ros2")
        if command is None:
            raise BenchError("there is no command ros2: run this as ./ws python bench")
        name, value = "GENSIM2_BENCH_RUN", str(uuid.uuid4())
        self._mark = f"{name}={value}"
        self.attempts: list[Moment] = []
        self.lines: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._ended = False
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [command, "launch", "gensim2", "sim_collect.launch.py", *arguments],
            env={
                **os.environ,
                name: value,
                "ROS_DOMAIN_ID": str(domain),
                "ROS_LOG_DIR": str(folder / "log"),
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def moment(self) -> Moment:
        """Tells what its processes have used by now."""
        return Moment(time.monotonic(), usage(marked(self._mark)))

    def watch_memory(self, peak: MemoryPeak, period: float, ended: threading.Event) -> None:
        """Looks for the peak of memory until an event; meant for a thread.

        Args:
            peak: Filled in.
            period: Between two looks, s.
            ended: Ends it.
        """
        while not ended.wait(period):
            held = pss(marked(self._mark))
            peak.samples += 1
            names = usage(held)
            processes: dict[str, int] = {}
            for pid in held.keys() & names.keys():
                name = names[pid].name
                processes[name] = processes.get(name, 0) + held[pid]
            if (total := sum(processes.values())) > peak.total:
                peak.total, peak.processes = total, processes

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something.

        Raises:
            BenchError: The launch ended before, or it took too long.
        """
        deadline = time.monotonic() + GUARD
        with self._news:
            while not condition():
                if self._ended or time.monotonic() > deadline:
                    why = "the launch ended first" if self._ended else f"not within {GUARD:g} s"
                    told = telling([text for _, text in self.lines])
                    raise BenchError(f"{what}: {why}; what it printed:\n{told}")
                self._news.wait(_POLL)

    def interrupt(self) -> float:
        """Ctrl-C as a terminal sends it; returns the time until nothing of it is left, s.

        Raises:
            BenchError: Something is left.
        """
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(GUARD)
        except subprocess.TimeoutExpired:
            raise BenchError(f"Ctrl-C: the launch has not ended within {GUARD:g} s") from None
        while marked(self._mark):
            if time.monotonic() - began > GUARD:
                raise BenchError(f"Ctrl-C: still running: {usage(marked(self._mark))}")
            time.sleep(_POLL)
        return time.monotonic() - began

    def kill(self) -> None:
        """Ends it and everything it has started, whatever state they are in."""
        for pid in {self._process.pid, *marked(self._mark)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        self._reader.join(GUARD)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            moment = self.moment() if _ATTEMPT.search(line) else None
            with self._news:
                self.lines.append((time.monotonic() - self.started, line.rstrip()))
                if moment is not None:
                    self.attempts.append(moment)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
