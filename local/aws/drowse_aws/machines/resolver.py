"""The room's DNS: names that lead somewhere here, and "no such name" at once for all others, as in a VPC."""

from __future__ import annotations

import socket
from collections.abc import Callable

_A = 1
_NAME_ERROR = 3
_TTL = 60


def serve(bound: socket.socket, address_of: Callable[[str], str | None]) -> None:
    """Answer for ever."""
    while True:
        try:
            query, client = bound.recvfrom(4096)
        except OSError:
            return
        answer = respond(query, address_of)
        if answer is not None:
            bound.sendto(answer, client)


def respond(query: bytes, address_of: Callable[[str], str | None]) -> bytes | None:
    """The answer to one query; None to what is none. Only addresses of version 4 exist."""
    asked = _question(query)
    if asked is None:
        return None
    name, kind, end = asked
    address = address_of(name)
    records = 1 if address is not None and kind == _A else 0
    flags = 0x8180 | (0 if address is not None else _NAME_ERROR)
    head = query[:2] + flags.to_bytes(2, "big") + b"\x00\x01" + records.to_bytes(2, "big") + b"\x00\x00\x00\x00"
    body = b""
    if address is not None and records:
        body = b"\xc0\x0c\x00\x01\x00\x01" + _TTL.to_bytes(4, "big") + b"\x00\x04" + socket.inet_aton(address)
    return head + query[12:end] + body


def _question(query: bytes) -> tuple[str, int, int] | None:
    labels: list[str] = []
    at = 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", errors="replace"))
        at += query[at] + 1
    end = at + 5
    if len(query) < end:
        return None
    return ".".join(labels).lower(), int.from_bytes(query[at + 1 : at + 3], "big"), end
