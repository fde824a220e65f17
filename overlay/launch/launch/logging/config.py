"""Settings of the log: folder, level, formats."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import socket
from pathlib import Path

from .sinks import FileSink, RecordFormat, ScreenSink, SinkHandler

_FORMATS = {
    "default": "[{levelname}] [{name}]: {message}",
    "default_with_timestamp": "{created:.7f} [{levelname}] [{name}]: {message}",
}


def base_log_folder() -> Path:
    """Return $ROS_LOG_DIR, else $ROS_HOME/log, else ~/.ros/log."""
    if os.environ.get("ROS_LOG_DIR"):
        return Path(os.environ["ROS_LOG_DIR"]).expanduser()
    if os.environ.get("ROS_HOME"):
        return Path(os.environ["ROS_HOME"]).expanduser() / "log"
    return Path.home() / ".ros" / "log"


def record_format(setting: str) -> RecordFormat:
    """Return a formatter for `default`, `default_with_timestamp` or a text with {fields}.

    The fields are those of `logging.LogRecord` and `msg`/`message` for the finished text.
    """
    template = _FORMATS.get(setting, setting)

    def apply(record: logging.LogRecord) -> str:
        message = record.getMessage()
        return template.format(**{**record.__dict__, "message": message, "msg": message})

    return apply


class LaunchConfig:
    """The log of one launching process."""

    def __init__(self) -> None:
        self.screen = ScreenSink()
        self._loggers: dict[str, logging.Logger] = {}
        self._files: dict[str, FileSink] = {}
        self._level = logging.INFO
        self._log_dir: Path | None = None

    @property
    def level(self) -> int:
        """The lowest level that is logged."""
        return self._level

    @level.setter
    def level(self, level: int | str) -> None:
        self._level = logging.getLevelName(level) if isinstance(level, str) else level
        for logger in self._loggers.values():
            logger.setLevel(self._level)

    @property
    def log_dir(self) -> str:
        """The folder of this launch, made at the first use."""
        if self._log_dir is None:
            self._log_dir = _new_log_folder(base_log_folder())
        return str(self._log_dir)

    @log_dir.setter
    def log_dir(self, folder: str | os.PathLike[str]) -> None:
        if self._log_dir is not None:
            raise RuntimeError(f"the log folder is already in use: {self._log_dir}")
        self._log_dir = Path(folder)
        self._log_dir.mkdir(parents=True, exist_ok=True)

    def get_log_file_path(self, file_name: str = "launch.log") -> str:
        """Return the path of a file in the folder of this launch."""
        return str(Path(self.log_dir) / file_name)

    def file(self, file_name: str = "launch.log") -> FileSink:
        """Return the sink of a file in the folder of this launch."""
        if file_name not in self._files:
            self._files[file_name] = FileSink(lambda: Path(self.get_log_file_path(file_name)))
        return self._files[file_name]

    def get_logger(self, name: str) -> logging.Logger:
        """Return the logger of that name, with the handlers of this log."""
        if name not in self._loggers:
            screen = os.environ.get("OVERRIDE_LAUNCH_SCREEN_FORMAT", "default")
            log = os.environ.get("OVERRIDE_LAUNCH_LOG_FORMAT", "default_with_timestamp")
            logger = logging.getLogger(name)
            logger.propagate = False
            logger.setLevel(self._level)
            logger.addHandler(SinkHandler(self.screen, record_format(screen)))
            logger.addHandler(SinkHandler(self.file(), record_format(log)))
            self._loggers[name] = logger
        return self._loggers[name]

    def reset(self) -> None:
        """Close the files and start over."""
        for logger in self._loggers.values():
            for handler in [h for h in logger.handlers if isinstance(h, SinkHandler)]:
                logger.removeHandler(handler)
        self._loggers.clear()
        for sink in self._files.values():
            sink.close()
        self._files.clear()
        self._level = logging.INFO
        self._log_dir = None


def _new_log_folder(base: Path) -> Path:
    """Make a folder of its own for this launch and let the link `latest` point to it."""
    stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
    folder = base / f"{stamp}-{socket.gethostname()}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RuntimeError(
            f"cannot make the log folder '{folder}': {error.strerror}; set ROS_LOG_DIR to a "
            "folder that can be written"
        ) from error
    # The link is a convenience; another launch may be moving it at the same moment.
    with contextlib.suppress(OSError):
        link = base / f".latest-{os.getpid()}"
        link.symlink_to(folder.name)
        link.replace(base / "latest")
    return folder
