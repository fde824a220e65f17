"""Runs the steps: one line each, a log file each, and a useful word when one fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO

from workspace.stamps import Stamps

TAIL_LINES = 20
TAIL_WIDTH = 160


class StepError(Exception):
    """A step could not be done.

    Attributes:
        mend: What to do about it, where this is better known here than in the step's own words.
        reported: Whether it has been printed.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend
        self.reported = False


class StepLog:
    """The log file of one step, and the way to run programs into it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Adds a line."""
        self._file.write(text + "\n")
        self._file.flush()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Runs a program, its output going to the log and its input being empty.

        Args:
            command: Program and arguments.
            environment: Whole environment of the program; ours if None.
            folder: Working folder; ours if None.

        Raises:
            StepError: If the program is missing or does not end with 0.
        """
        words = [str(word) for word in command]
        self.write("$ " + " ".join(words))
        try:
            # In a session of its own, so that ending it ends what it started as well.
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=self._file,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise StepError(f"there is no program {words[0]}") from error
        try:
            code = process.wait()
        except BaseException:
            end_group(process)
            raise
        if code != 0:
            raise StepError(f"{Path(words[0]).name} ended with code {code}")


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Ends a program that leads a session, and everything it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
        break


@dataclass(frozen=True)
class Step:
    """One step of the preparation.

    Attributes:
        name: Name of the log file and of the stamp.
        title: What is done, as shown.
        work: Does it.
        mend: What the user can do if it fails.
        inputs: Digest of what the step depends on: done once per digest. None: the caller
            decides when the step is due.
    """

    name: str
    title: str
    work: Callable[[StepLog], None]
    mend: str
    inputs: str | None = None


class Runner:
    """Runs steps that are due and reports them."""

    def __init__(self, logs: Path, stamps: Stamps, screen: TextIO = sys.stderr) -> None:
        self._logs = logs
        self._screen = screen
        self.stamps = stamps

    def say(self, text: str) -> None:
        """Prints a line about the workspace."""
        print(f"[ws] {text}", file=self._screen, flush=True)

    def run(self, step: Step) -> bool:
        """Runs a step unless it was finished for the same inputs.

        Returns:
            Whether it ran.

        Raises:
            StepError: If it failed; everything worth saying has been printed.
        """
        if step.inputs is not None and self.stamps.is_current(step.name, step.inputs):
            return False
        self.stamps.clear(step.name)
        self._logs.mkdir(parents=True, exist_ok=True)
        log_path = self._logs / f"{step.name}.log"
        print(f"[ws] {step.title} ... ", end="", file=self._screen, flush=True)
        begin = time.monotonic()
        try:
            with log_path.open("w+", errors="replace") as file:
                step.work(StepLog(file))
        except (StepError, OSError, subprocess.SubprocessError) as error:
            failure = error if isinstance(error, StepError) else StepError(str(error))
            self._report(step, failure, log_path, time.monotonic() - begin)
            failure.reported = True
            raise failure from error.__cause__
        except (KeyboardInterrupt, SystemExit):
            print("interrupted; the next call resumes here", file=self._screen, flush=True)
            raise
        print(f"{time.monotonic() - begin:.0f} s", file=self._screen, flush=True)
        if step.inputs is not None:
            self.stamps.put(step.name, step.inputs)
        return True

    def _report(self, step: Step, error: StepError, log_path: Path, seconds: float) -> None:
        lines = [f"failed after {seconds:.0f} s: {error}"]
        tail = log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        lines += [f"    | {line[:TAIL_WIDTH]}" for line in tail]
        lines.append(f"[ws] whole log: {log_path}")
        lines.append(f"[ws] to mend it: {error.mend or step.mend}")
        lines.append("[ws] then call ./ws again: it resumes at this step")
        print("\n".join(lines), file=self._screen, flush=True)
