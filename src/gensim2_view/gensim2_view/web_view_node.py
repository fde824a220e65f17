"""Node `web_view`: the graph on a page for a browser on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from gensim2_control.report import Level, Report
from gensim2_control.ros.diagnostics import NodeDiagnostics
from gensim2_control.ros.parameters import declare_parameters
from gensim2_control.ros.start_error import StartError
from gensim2_tasks.assets import AssetError, AssetLibrary
from gensim2_tasks.catalogue import task_names
from gensim2_tasks.task_library import library_names
from rclpy.node import Node

from .page import Page
from .view_commands_node import ViewCommands
from .view_parameters_node import ViewParameters
from .view_topics_node import ViewTopics
from .web_server import WebServer, WebServerError


class WebViewNode(Node):
    """Wires the graph to the page."""

    def __init__(self) -> None:
        super().__init__("web_view")
        self._own = declare_parameters(self, ViewParameters).value
        self._page: Page | None = None
        self._counted = (time.monotonic(), 0)

    def start(self, ended: Callable[[], bool]) -> None:
        """Serve the page."""
        own = self._own
        try:
            library = AssetLibrary(own.asset_root)
            server = WebServer(own.host, own.port, "GenSim2")
        except (AssetError, WebServerError) as error:
            raise StartError(str(error)) from None
        commands = ViewCommands(self, own.controller)
        self._topics = ViewTopics(self, own.cameras, commands.activity)
        commands.collecting = self._topics.collecting
        self._page = Page(
            server,
            library,
            own.workspace(),
            [*task_names(), *library_names()],
            own.cameras,
            commands,
            lambda text: self.get_logger().warning(text),
        )
        commands.say = self._page.panel.say
        self._page.start(self._topics)
        self._diagnostics = NodeDiagnostics(self, self._report)
        host = f"[{own.host}]" if ":" in own.host else own.host
        self.get_logger().info(f"open http://{host}:{own.port}")

    def close(self) -> None:
        """End the page."""
        if self._page is not None:
            self._page.close()

    def _report(self) -> Mapping[str, Report]:
        assert self._page is not None
        now, frames = time.monotonic(), self._page.frames
        since, before = self._counted
        self._counted = (now, frames)
        period = max(now - since, 1e-3)
        rates = {f"{t} [Hz]": f"{n / period:.1f}" for t, n in sorted(self._topics.counts().items())}
        drawn = {"viewers": self._page.viewers, "frames [Hz]": f"{(frames - before) / period:.1f}"}
        problem = self._page.problem
        page = (
            Report(Level.WARN, f"not all can be drawn: {problem}", drawn)
            if problem
            else Report(Level.OK, "serving", drawn)
        )
        return {"page": page, "topics": Report(Level.OK, "listening", rates)}
