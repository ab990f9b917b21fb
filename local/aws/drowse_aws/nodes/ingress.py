"""The ingress on the node that carries the Elastic IP, as somebody outside sees it: TLS, and an answer.

An Elastic IP leads nowhere here, so one port on 127.0.0.1 stands in for all of them. Handshake, certificate and HTTP
are real; a name gets its certificate as it is asked for, signed by an authority that the Lambdas of this emulator know.
"""

from __future__ import annotations

import contextlib
import datetime
import http.server
import os
import socket
import ssl
import tempfile
import threading
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..emulator import ec2
from . import agent, cluster
from .node import Node

#: Of a certificate: longer than any run.
_VALID = datetime.timedelta(days=30)


def serving() -> bool:
    """Whether some cluster's ingress answers: its node is ready, has the Elastic IP, and the platform is installed."""
    return any(node.context.copy().run(_serves, node) for node in agent.AGENT.nodes() if node.ingress)


def _serves(node: Node) -> bool:
    known = cluster.existing(node.cluster_name)
    reached = any(address.get("InstanceId") == node.instance_id for address in list(ec2._addresses.values()))
    return node.ready and reached and known is not None and known.platform_at is not None


class _Authority:
    """Signs a certificate for whatever name is asked for."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("drowse's embedded AWS")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.file = _authority_file(folder)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        with open(self.file, "wb") as file:
            file.write(self._sign(self._name, self._key, constraints))

    def context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context with the host's certificate."""
        if host not in self._contexts:
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = self._sign(_named(host), key, x509.SubjectAlternativeName([x509.DNSName(host)]))
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            # ssl reads certificates from files only.
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".pem") as file:
                file.write(private + certificate)
                file.flush()
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(file.name)
            self._contexts[host] = context
        return self._contexts[host]

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + _VALID)
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


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

    def __init__(self, authority: _Authority) -> None:
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
        return serving()

    def finish_request(self, request: Any, client_address: Any) -> None:
        plain: socket.socket = request
        plain.settimeout(5)
        with self._context.wrap_socket(plain, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever breaks a handshake off knows why."""


def start() -> tuple[str, str]:
    """Listen from now on. Where, as ``address:port``, and the file with the authority's certificate."""
    authority = _Authority(tempfile.gettempdir())
    server = _Server(authority)
    threading.Thread(target=server.serve_forever, name="drowse-ingress", daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}", authority.file


def forget() -> None:
    """Delete the authority's file; whoever ends the emulator calls it, perhaps twice."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(_authority_file(tempfile.gettempdir()))


def _authority_file(folder: str) -> str:
    return os.path.join(folder, "ingress-authority.pem")
