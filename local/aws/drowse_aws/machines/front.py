"""What real instances reach under public names: AWS's endpoints, package archives and image registries, over TLS.

There is nothing else: the room has no way out. Endpoints of AWS are the emulator; archives and registries are the
lab's own, in the layout of the real ones, filled by lab/cache.
"""

from __future__ import annotations

import http.client
import http.server
import os
import re
import socket
import ssl
import urllib.parse
from collections.abc import Callable
from typing import Any, ClassVar

from ..authority import Authority
from .images import Images

#: Names below which all is AWS.
AWS_DOMAIN = "amazonaws.com"
_BUCKET = re.compile(r"(?P<bucket>[a-z0-9.-]+)\.s3(?:\.dualstack)?(?:\.[a-z0-9-]+)?\.amazonaws\.com")
#: A node's phase, as it tags it on itself.
_PHASE = re.compile(rb"Key=drowse%3Aphase&Tag\.\d+\.Value=([^&]+)")
#: Headers that are of one connection only.
_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "proxy-connection", "upgrade", "te"}


def bucket_of(host: str) -> str | None:
    """The bucket whose own name this is; None for an endpoint, under which buckets are paths."""
    found = _BUCKET.fullmatch(host)
    return found["bucket"] if found else None


class Handler(http.server.BaseHTTPRequestHandler):
    """One request over TLS, for any name."""

    protocol_version = "HTTP/1.1"
    port: ClassVar[int]
    archives: ClassVar[str]
    images: ClassVar[Images]
    #: Called with the address that tags a phase on its instance, and the phase.
    noted: ClassVar[Callable[[str, str], None]]

    def _serve(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0].lower()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if host.endswith(f".{AWS_DOMAIN}"):
            phase = _PHASE.search(body)
            if phase:
                type(self).noted(self.client_address[0], urllib.parse.unquote(phase[1].decode()))
            self._forward(host, body)
        elif self.path.startswith("/v2/"):
            self._image(host)
        else:
            self._file(host)

    do_GET = _serve  # noqa: N815
    do_PUT = _serve  # noqa: N815 (the library looks for these names)
    do_POST = _serve  # noqa: N815
    do_HEAD = _serve  # noqa: N815
    do_DELETE = _serve  # noqa: N815

    def _forward(self, host: str, body: bytes) -> None:
        """To the emulator, a bucket's own name as a path."""
        bucket = bucket_of(host)
        path = f"/{bucket}{self.path}" if bucket else self.path
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(self.command, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in {*_HOP, "content-length"}:
                    self.send_header(name, value)
            # The answer to a HEAD says how long a GET's would be.
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            if length is not None:
                self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            connection.close()

    def _image(self, host: str) -> None:
        found = self.images.find(host, self.path.partition("?")[0])
        if found is None:
            return self._send(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', "application/json")
        self._send(200, found.content, found.kind, found.digest)

    def _file(self, host: str) -> None:
        root = os.path.realpath(f"{self.archives}/{host}")
        path = os.path.realpath(f"{root}{urllib.parse.unquote(self.path.partition('?')[0])}")
        if not path.startswith(f"{root}/") or not os.path.isfile(path):
            return self._send(404, b"", "text/plain")
        with open(path, "rb") as file:
            self._send(200, file.read(), "application/octet-stream")

    def _send(self, status: int, content: bytes, kind: str, digest: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if digest is not None:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the emulator records AWS's calls itself."""


class Server(http.server.ThreadingHTTPServer):
    """A server on a socket that somebody else made, with TLS if there is an authority."""

    daemon_threads = True

    def __init__(
        self,
        listener: socket.socket,
        handler: type[http.server.BaseHTTPRequestHandler],
        authority: Authority | None = None,
    ) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self._tls: ssl.SSLContext | None = None
        if authority is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.sni_callback = lambda connection, host, _: _choose(authority, connection, host)

    def finish_request(self, request: Any, client_address: Any) -> None:
        connection: socket.socket = request
        connection.settimeout(120)
        if self._tls is None:
            super().finish_request(connection, client_address)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a machine whose power was cut breaks its connections off."""


def _choose(authority: Authority, connection: ssl.SSLObject | ssl.SSLSocket, host: str | None) -> int | None:
    if host is None:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    connection.context = authority.context(host)
    return None


def handler(port: int, archives: str, images: Images, noted: Callable[[str, str], None]) -> type[Handler]:
    """A handler class for a server: the emulator's port, archives by host name, images, who hears of phases."""
    members = {"port": port, "archives": archives, "images": images, "noted": staticmethod(noted)}
    return type("FrontHandler", (Handler,), members)
