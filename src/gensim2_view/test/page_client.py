"""A client of the page that is no browser: it hears what a browser is sent, and presses buttons."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import viser

# What viser itself speaks by.
msgspec = pytest.importorskip("msgspec")
zstandard = pytest.importorskip("zstandard")
connect = pytest.importorskip("websockets.sync.client").connect
ConnectionClosed = pytest.importorskip("websockets.exceptions").ConnectionClosed

GUARD = 60.0  # s; only ends a test that hangs
_CAMERA = {
    "type": "ViewerCameraMessage",
    "wxyz": [1.0, 0.0, 0.0, 0.0],
    "position": [1.0, 1.0, 1.0],
    "fov": 1.0,
    "near": 0.01,
    "far": 100.0,
    "image_height": 600,
    "image_width": 800,
    "look_at": [0.0, 0.0, 0.0],
    "up_direction": [0.0, 0.0, 1.0],
}


class PageClient:
    """One viewer."""

    def __init__(self, port: int, origin: str | None = None) -> None:
        self._socket = connect(
            f"ws://127.0.0.1:{port}",
            subprotocols=[f"viser-v{viser.__version__}"],
            origin=origin,
            max_size=None,
        )
        self.heard: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.news = threading.Condition()
        self._send(_CAMERA)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()
        self._thread.join(GUARD)

    def wait(self, match: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the newest message that matches, waiting for one."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [message for message in self.heard if match(message)][-1:]
            return bool(found)

        with self.news:
            came = self.news.wait_for(look, GUARD)
            last = [(m["type"], m.get("name")) for m in self.heard[-5:]]
            assert came, f"nothing such was sent to the page; the last was {last}"
        return found[0]

    def of_type(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the newest message of a type whose fields are these, waiting for one."""
        return self.wait(
            lambda m: m["type"] == kind and all(m.get(k) == v for k, v in fields.items())
        )

    def html(self, part: str) -> str:
        """Return the newest HTML that contains a text, waiting for one."""
        found = self.wait(
            lambda m: m["type"] == "GuiUpdateMessage" and part in str(m["updates"].get("content"))
        )
        return str(found["updates"]["content"])

    def notification(self, title: str, part: str = "") -> str:
        """Return the text of a notification, waiting for it."""
        found = self.wait(
            lambda m: (
                m["type"] == "NotificationShowMessage"
                and m["props"]["title"] == title
                and part in m["props"]["body"]
            )
        )
        return str(found["props"]["body"])

    def press(self, label: str) -> None:
        """Press a button, alone or of a group."""

        def is_it(message: dict[str, Any]) -> bool:
            props = message.get("props", {})
            alone = message["type"] == "GuiButtonMessage" and props["label"] == label
            grouped = message["type"] == "GuiButtonGroupMessage" and label in props["options"]
            return alone or grouped

        button = self.wait(is_it)
        value = True if button["type"] == "GuiButtonMessage" else label
        self._send(
            {"type": "GuiUpdateMessage", "uuid": button["uuid"], "updates": {"value": value}}
        )

    def wait_closed(self) -> int:
        """Return the code with which the server has ended the connection, waiting for it."""
        with self.news:
            assert self.news.wait_for(lambda: self.closed is not None, GUARD)
        assert self.closed is not None
        return self.closed

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionClosed):  # The listener notices too.
            self._socket.send(msgspec.msgpack.encode(message))

    def _listen(self) -> None:
        try:
            while True:
                data = self._socket.recv()
                size = int.from_bytes(data[8:16], "little")
                window = msgspec.msgpack.decode(
                    zstandard.ZstdDecompressor().decompress(data[16 : 16 + size])
                )
                with self.news:
                    self.heard += window["messages"]
                    self.news.notify_all()
        except ConnectionClosed as ended:
            with self.news:
                self.closed = ended.rcvd.code if ended.rcvd is not None else 1006
                self.news.notify_all()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that sends no event."""
    deadline = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
