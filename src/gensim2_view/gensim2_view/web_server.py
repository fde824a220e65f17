"""The web server: on one port and no other, quiet, and not for pages of other origins."""

from __future__ import annotations

import ipaddress
import re
import socket

import rich
import viser
from viser.infra import WebsockClientConnection

_NAME = re.compile(r"(\[[0-9a-fA-F:]+\]|[^:\[\]]+)(:\d+)?")


class WebServerError(RuntimeError):
    """The server cannot start; the message says why and how to mend it."""


def may_connect(origin: str | None, host: str | None, served: str) -> bool:
    """Tell whether a page may use the view.

    Browsers let a page of any site connect to a server on the same machine, and say in `Origin`
    whose page it is. Only our own page may press buttons that move a robot. Its address must be a
    number, or a name we know: other names may be pointed here by whoever owns them.

    Args:
        origin: header `Origin`; None where the client is no browser.
        host: header `Host`, the address the client has used.
        served: the host the server was told to serve on.
    """
    match = _NAME.fullmatch(host or "")
    if match is None:
        return False
    name = match.group(1).strip("[]").lower()
    if name not in ("localhost", served.lower()):
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
    return origin is None or origin.lower() == f"http://{host}".lower()


def check_address(host: str, port: int) -> None:
    """Find out whether a port can be served on.

    Raises:
        WebServerError: it is taken, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise WebServerError(
            f"cannot serve on host {host!r}, port {port}: {error.strerror or error}; choose another"
            f" port, for example -p port:={port + 1 if port < 65535 else port - 1}, or end the"
            " program that uses this one"
        ) from None


class WebServer(viser.ViserServer):
    """viser's server, without its offer to share the page with the whole world."""

    def __init__(self, host: str, port: int, label: str) -> None:
        """Serve at once.

        Raises:
            WebServerError: the port is taken, or the host is none of this machine.
        """
        # viser itself would go on with the next port, or wait for ever.
        check_address(host, port)
        rich.reconfigure(quiet=True)  # Its banners; nothing else here prints by rich.
        super().__init__(host=host, port=port, label=label, verbose=False)
        if self.get_port() != port:
            self.stop()
            raise WebServerError(f"port {port} was taken a moment ago; choose another, -p port:=N")
        self._served = host
        self._websock_server.on_client_connect(self._refuse_foreign)
        # Who came before this was watched comes again.
        self._websock_server.disconnect_all_clients()

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refuse: a page that moves a robot is not for a public address."""
        return None

    async def _refuse_foreign(self, client: WebsockClientConnection) -> None:
        connection = self._websock_server._live_connections[client.client_id]
        headers = connection.request.headers if connection.request is not None else {}
        if not may_connect(headers.get("Origin"), headers.get("Host"), self._served):
            await connection.close(1008, "this page may not use the view")
