"""The way from this machine into the room: a port on 127.0.0.1 that leads to the first Kubernetes API that answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable

from .namespaces import Network

_API_PORT = 6443
_CONNECT_SECONDS = 2.0


class Door:
    """``addresses`` says which seats there are, at each connection."""

    def __init__(self, network: Network, addresses: Callable[[], Iterable[str]]) -> None:
        self._network = network
        self._addresses = addresses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="drowse-door", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="drowse-door-client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            server = self._reach()
            if server is None:
                return
            with server:
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()

    def _reach(self) -> socket.socket | None:
        for address in self._addresses():
            with contextlib.suppress(OSError):
                reached = self._network.connect(address, _API_PORT, _CONNECT_SECONDS)
                reached.settimeout(None)
                return reached
        return None

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
