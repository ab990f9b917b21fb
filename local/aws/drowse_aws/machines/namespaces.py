"""Work in the network namespace of another process: sockets stay in the namespace in which they were made."""

from __future__ import annotations

import concurrent.futures
import ctypes
import os
import socket

_CLONE_NEWNET = 0x40000000


class Network:
    """The network of a process, for as long as that process lives."""

    def __init__(self, pid: int) -> None:
        # A thread's namespace is its own, so the rest of this process stays where it is.
        self._threads = concurrent.futures.ThreadPoolExecutor(4, "drowse-network", lambda: _enter(pid))

    def listen(self, address: str, port: int, ttl: int | None = None) -> socket.socket:
        """A listening TCP socket there. ``ttl``: how many hops its answers live."""

        def make() -> socket.socket:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ttl is not None:
                listener.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            listener.bind((address, port))
            listener.listen(128)
            return listener

        return self._threads.submit(make).result()

    def datagrams(self, address: str, port: int) -> socket.socket:
        """A bound UDP socket there."""

        def make() -> socket.socket:
            bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            bound.bind((address, port))
            return bound

        return self._threads.submit(make).result()

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        """A TCP connection from there. Raises OSError."""
        return self._threads.submit(socket.create_connection, (address, port), seconds).result()


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"the network of process {pid} cannot be entered")
    finally:
        os.close(namespace)
