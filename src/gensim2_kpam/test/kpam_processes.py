"""Nodes of this package as processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from scripted_cell import GUARD

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = 1 + (os.getpid() + 9) % 95


class Process:
    """A node of this package, or of another one."""

    def __init__(
        self, name: str, cache: Path, *parameters: str, package: str = "gensim2_kpam"
    ) -> None:
        words = [word for given in parameters for word in ("-p", given)]
        program = f"import sys; from {package}.programs import {name}; sys.exit({name}())"
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", program, "--ros-args", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                "ROS_DOMAIN_ID": str(DOMAIN),
                "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
                "FASTRTPS_DEFAULT_PROFILES_FILE": str(
                    ROOT / "launch" / "config" / "fastdds_profile.xml"
                ),
                "XDG_CACHE_HOME": str(cache),
            },
        )

    def freeze(self, frozen: bool) -> None:
        """Stops the process where it is, or lets it go on."""
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def end(self) -> str:
        """What it has said; it must end by itself and without an error."""
        try:
            output, _ = self._process.communicate(timeout=GUARD)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, output
        assert "Traceback" not in output, output
        return output


def end_all(*processes: Process) -> None:
    """Ends nodes, all of them whatever becomes of one."""
    with contextlib.ExitStack() as stack:
        for process in processes:
            process.interrupt()
            stack.callback(process.end)
