"""Routes the output of a process to the screen and to files, line by line."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from .sinks import Sink, StampedSink

if TYPE_CHECKING:
    from .config import LaunchConfig

STDOUT, STDERR = 1, 2

OutputSetting = str | Mapping[str, str | Iterable[str]]
Routes = dict[str, frozenset[str]]

_STREAMS = ("stdout", "stderr", "both")
_TARGETS = ("screen", "log", "own_log")
_NAMED: dict[str, Routes] = {
    "screen": {"both": frozenset({"screen"})},
    "log": {"both": frozenset({"log"}), "stderr": frozenset({"screen"})},
    "both": {"both": frozenset({"screen", "log"})},
    "own_log": {
        "both": frozenset({"own_log"}),
        "stdout": frozenset({"own_log"}),
        "stderr": frozenset({"own_log"}),
    },
    "full": {
        "both": frozenset({"screen", "log", "own_log"}),
        "stdout": frozenset({"own_log"}),
        "stderr": frozenset({"own_log"}),
    },
}


def resolve_output(setting: OutputSetting) -> Routes:
    """Check an `output` setting and return the targets per stream.

    Raises:
        ValueError: the setting is unknown; the text lists the known ones.
    """
    setting = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT") or setting
    if isinstance(setting, str):
        if setting not in _NAMED:
            raise ValueError(
                f"output='{setting}' is unknown, expected one of {sorted(_NAMED)} or a dictionary"
            )
        return _NAMED[setting]
    routes: Routes = {}
    for stream, targets in setting.items():
        chosen = frozenset([targets] if isinstance(targets, str) else targets)
        if stream not in _STREAMS or not chosen <= set(_TARGETS):
            raise ValueError(
                f"output={dict(setting)!r} is not valid: streams are {list(_STREAMS)}, "
                f"targets are {list(_TARGETS)}"
            )
        routes[stream] = chosen
    return routes


class ProcessOutput:
    """Splits the two streams of one process into lines and writes them to their targets."""

    def __init__(
        self,
        config: LaunchConfig,
        label: str,
        routes: Routes,
        line_format: Callable[[str], str],
        keep: bool = False,
    ) -> None:
        self._streams = {
            STDOUT: _Stream(_plain_and_formatted(config, label, routes, "stdout"), keep),
            STDERR: _Stream(_plain_and_formatted(config, label, routes, "stderr"), keep),
        }
        self._line_format = line_format

    def feed(self, stream: int, data: bytes) -> None:
        """Take what the process wrote; complete lines are written."""
        self._streams[stream].feed(data, self._line_format)

    def flush(self) -> None:
        """Write unfinished last lines."""
        for stream in self._streams.values():
            stream.finish(self._line_format)

    def kept(self, stream: int) -> str:
        """Return everything the process wrote to the stream, if it was to be kept."""
        return "".join(self._streams[stream].kept)


class _Stream:
    def __init__(self, sinks: tuple[list[Sink], list[Sink]], keep: bool) -> None:
        self._plain, self._formatted = sinks
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._keep = keep
        self.kept: list[str] = []

    def feed(self, data: bytes, line_format: Callable[[str], str], final: bool = False) -> None:
        text = self._decoder.decode(data, final)
        if self._keep and text:
            self.kept.append(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._write(line.removesuffix("\r"), line_format)

    def finish(self, line_format: Callable[[str], str]) -> None:
        self.feed(b"", line_format, final=True)
        if self._rest:
            self._write(self._rest, line_format)
        self._rest = ""
        self._decoder.reset()

    def _write(self, line: str, line_format: Callable[[str], str]) -> None:
        for sink in self._plain:
            sink.write_line(line)
        if self._formatted:
            formatted = line_format(line)
            for sink in self._formatted:
                sink.write_line(formatted)


def _plain_and_formatted(
    config: LaunchConfig, label: str, routes: Routes, stream: str
) -> tuple[list[Sink], list[Sink]]:
    """Return the sinks for raw lines (own files) and for lines with the process label."""
    own = routes.get(stream, frozenset())
    shared = routes.get("both", frozenset())
    plain: list[Sink] = []
    if "own_log" in own:
        plain.append(config.file(f"{label}-{stream}.log"))
    if "own_log" in shared:
        plain.append(config.file(f"{label}.log"))
    formatted: list[Sink] = []
    if "screen" in own | shared:
        formatted.append(config.screen)
    if "log" in own | shared:
        formatted.append(StampedSink(config.file()))
    return plain, formatted
