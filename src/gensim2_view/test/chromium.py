"""A browser without a window, spoken to over a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from typing import Any

import numpy as np
from matplotlib import image as pictures

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
GUARD = 60.0  # s; only ends a test that hangs
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",  # WebGL on the CPU.
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Chromium:
    """One browser with one page."""

    def __init__(self, width: int = 1600, height: int = 900) -> None:
        assert PROGRAM is not None
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = [*_FLAGS, f"--user-data-dir={self._profile.name}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # It does not start as root otherwise.
        flags.append(f"--window-size={width},{height}")
        commands, self._to = os.pipe()
        answers, self._from = os.pipe()
        # The browser reads commands from descriptor 3 and answers on 4.
        words = " ".join(map(shlex.quote, [PROGRAM, *flags, "about:blank"]))
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {words} 3<&{commands} 4>&{self._from}"],
            pass_fds=(commands, self._from),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(commands)
        os.close(self._from)
        self._from = answers
        self._rest = b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        page = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(GUARD)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol; return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return the picture of the page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def pixels(self) -> np.ndarray:
        """Return the picture of the page, (H, W, 3) from 0 to 1."""
        picture: np.ndarray = pictures.imread(io.BytesIO(self.screenshot()), format="png")
        return picture[..., :3]

    def _next(self) -> bytes:
        while b"\0" not in self._rest:
            data = os.read(self._from, 1 << 20)
            assert data, "the browser has ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return message
