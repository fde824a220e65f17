"""Where lines are written to."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TextIO

RecordFormat = Callable[[logging.LogRecord], str]


class Sink(Protocol):
    """Takes whole lines."""

    def write_line(self, line: str) -> None:
        """Write one line; the line end is added."""


class ScreenSink:
    """Standard output. A reader that has gone away (`| head`) must not stop the launch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write_line(self, line: str) -> None:
        """Write one line and flush, so that a pipe sees it at once."""
        with self._lock:
            stream = sys.stdout
            if stream is None or stream.closed:
                return
            try:
                stream.write(f"{line}\n")
                stream.flush()
            except UnicodeEncodeError:
                encoding = stream.encoding or "ascii"
                stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
                stream.flush()
            except BrokenPipeError:
                # What is still buffered, and all that follows, goes nowhere.
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


class FileSink:
    """A file, opened at the first line."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._lock = threading.Lock()

    def write_line(self, line: str) -> None:
        """Write one line."""
        with self._lock:
            if self._file is None:
                self._file = self._path().open("a", encoding="utf-8", buffering=1)
            self._file.write(f"{line}\n")

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class StampedSink:
    """Puts the time before each line."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write_line(self, line: str) -> None:
        """Write one line."""
        self._sink.write_line(f"{time.time():.7f} {line}")


class SinkHandler(logging.Handler):
    """Hands log records to a sink."""

    def __init__(self, sink: Sink, record_format: RecordFormat) -> None:
        super().__init__()
        self._sink = sink
        self._record_format = record_format

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._sink.write_line(self._record_format(record))
        except Exception:
            self.handleError(record)
