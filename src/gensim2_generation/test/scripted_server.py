"""A server on loopback that speaks the chat protocol of OpenAI, and says what a script tells it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "sk-test-0123456789abcdefghij"


@dataclass(frozen=True)
class Reply:
    """What is sent back: a status, and a body; ``broken``: how the connection ends instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    broken: str = ""


def saying(content: str, **usage: int) -> Reply:
    """A completion with this content."""
    counted = {"prompt_tokens": 100, "completion_tokens": 50} | usage
    message = {"role": "assistant", "content": content}
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {**counted, "total_tokens": sum(counted.values())},
    }
    return Reply(body=json.dumps(body).encode())


def failing(status: int, message: str, **headers: str) -> Reply:
    """An error."""
    body = {"error": {"message": message, "type": "test", "param": None, "code": None}}
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Reply(status, json.dumps(body).encode(), named)


Script = Callable[[str, dict[str, Any]], Reply]
"""Gets the stage (empty where the question does not say it) and the request."""


class ScriptedServer:
    """Serves while it is entered; ``requests`` are those it has had."""

    def __init__(self, script: Script) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                server.requests.append(request)
                server.keys.append(self.headers.get("Authorization", ""))
                server.answer(self, script(stage_of(request), request))

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.broken == "hang":
            self.released.wait(30.0)
            return
        if reply.broken == "closed":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Type", "application/json")
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(reply.body)))
            handler.end_headers()
            if reply.broken == "half":
                handler.wfile.write(reply.body[: len(reply.body) // 2])
                handler.wfile.flush()
                handler.connection.shutdown(socket.SHUT_RDWR)
                handler.close_connection = True
            elif reply.broken == "drip":
                for byte in reply.body:
                    if self.released.wait(0.05):
                        return
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
            else:
                handler.wfile.write(reply.body)
        except OSError:
            handler.close_connection = True

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()


def stage_of(request: dict[str, Any]) -> str:
    form = request.get("response_format", {})
    return str(form.get("json_schema", {}).get("name", ""))


def text_of(request: dict[str, Any]) -> str:
    """What the user says, without pictures."""
    content = request["messages"][1]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def pictures_of(request: dict[str, Any]) -> int:
    content = request["messages"][1]["content"]
    return 0 if isinstance(content, str) else sum(p["type"] == "image_url" for p in content)
