"""The ingress on the node that carries the Elastic IP, as somebody outside sees it: TLS, and an answer.

An Elastic IP leads nowhere here, so one port on 127.0.0.1 stands in for all of them. Handshake, certificate and HTTP
are real; a name gets its certificate as it is asked for, signed by an authority that the Lambdas of this emulator know.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import ssl
import tempfile
import threading
from typing import Any

from .. import hardware
from ..authority import Authority
from ..emulator import ec2
from . import agent, cluster
from .node import Node


def played() -> bool:
    """Whether some cluster's ingress answers: its node is ready, has the Elastic IP, and the platform is installed."""
    return any(node.context.copy().run(_serves, node) for node in agent.AGENT.nodes() if node.ingress)


def _serves(node: Node) -> bool:
    known = cluster.existing(node.cluster_name)
    reached = any(address.get("InstanceId") == node.instance_id for address in list(ec2._addresses.values()))
    return node.ready and reached and known is not None and known.platform_at is not None


class _Page(http.server.BaseHTTPRequestHandler):
    """What the ingress says."""

    def do_GET(self) -> None:
        body = f"{self.headers.get('Host', '')} is served here\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the probe's own log says what it saw."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _context: ssl.SSLContext) -> int | None:
            if host is None:  # as F5's NGINX: it knows no host without a name
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = authority.context(host)
            return None

        self._context.sni_callback = choose

    def verify_request(self, request: Any, client_address: Any) -> bool:
        # A connection that nobody takes is closed: to the other side, nothing answers.
        return hardware.current().ingress_serves()

    def finish_request(self, request: Any, client_address: Any) -> None:
        plain: socket.socket = request
        plain.settimeout(5)
        with self._context.wrap_socket(plain, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever breaks a handshake off knows why."""


def start() -> tuple[str, str]:
    """Listen from now on. Where, as ``address:port``, and the file with the authority's certificate."""
    folder = tempfile.gettempdir()
    authority = Authority.made(folder, "drowse's embedded AWS", _authority_file(folder))
    server = _Server(authority)
    threading.Thread(target=server.serve_forever, name="drowse-ingress", daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}", _authority_file(folder)


def forget() -> None:
    """Delete the authority's file; whoever ends the emulator calls it, perhaps twice."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(_authority_file(tempfile.gettempdir()))


def _authority_file(folder: str) -> str:
    return os.path.join(folder, "ingress-authority.pem")
