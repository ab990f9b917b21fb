"""The control endpoint, below ``/_drowse/``: what runs here, which faults are set, which calls were made.

Reachable only from this machine, like everything else: the server binds 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from . import MINISTACK_VERSION, calls, faults, hardware, registry, stubs
from .nodes import agent, cluster
from .nodes import commands as node_commands

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/_drowse/"


def wrap(inner: Application) -> Application:
    """The application with the control endpoint in front."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and str(scope["path"]).startswith(PREFIX):
            method, path, sent = str(scope["method"]), str(scope["path"]), await _body(receive)
            if path.startswith(("/_drowse/machines/", "/_drowse/volumes/")):
                status, answer = await asyncio.to_thread(_machines, method, path, sent)
            else:
                status, answer = _route(method, path, sent)
            body = json.dumps(answer).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await inner(scope, receive, send)

    return application


def _machines(method: str, path: str, body: bytes) -> tuple[int, Any]:
    from .machines import control

    return control.route(method, path, body)


def _route(method: str, path: str, body: bytes) -> tuple[int, Any]:
    if (method, path) == ("GET", "/_drowse/plugin"):
        return 200, describe()
    if (method, path) == ("GET", "/_drowse/calls"):
        return 200, {"calls": calls.recorded()}
    if (method, path) == ("DELETE", "/_drowse/calls"):
        calls.forget()
        return 200, {"calls": []}
    if path == "/_drowse/faults" and method in ("GET", "POST", "DELETE"):
        try:
            if method == "POST":
                faults.FAULTS.add(json.loads(body or b"null"))
            elif method == "DELETE":
                faults.FAULTS.clear()
        except (faults.FaultError, ValueError) as error:
            return 400, {"error": str(error)}
        return 200, {"faults": faults.FAULTS.described()}
    return 404, {"error": f"no {method} {path} here: try GET {PREFIX}plugin, {PREFIX}calls or POST {PREFIX}faults"}


def describe() -> dict[str, Any]:
    """What runs here: version, patches, stub types, the nodes being played, commands so far."""
    return {
        "ministack": MINISTACK_VERSION,
        "patches": [{"name": known.name, "worksAround": known.works_around} for known in registry.patches()],
        "stubs": [{"type": kind, "reason": reason} for kind, reason in stubs.STUBS.items()],
        "nodes": hardware.current().described(),
        # Where every Elastic IP is answered for (patches/ingress.py).
        "ingress": os.environ.get("DROWSE_INGRESS"),
        "commands": node_commands.count(),
        # What each played cluster has asked repositories and registries for so far.
        "asked": {name: state.asked for name in _clusters() if (state := cluster.existing(name)) is not None},
    }


def _clusters() -> list[str]:
    return sorted({node.cluster_name for node in agent.AGENT.nodes()})


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
