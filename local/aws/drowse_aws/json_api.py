"""Further actions for services that speak JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .emulator import Record, Response


class ApiError(Exception):
    """A call that is refused; the arguments are code and message."""


def add_actions(service: Any, actions: dict[str, Callable[[Record], Record]]) -> None:
    """Let a service answer further actions: functions of the request's fields, which may raise ApiError."""
    inner = service.handle_request

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action not in actions:
            response: Response = await inner(method, path, headers, body, query)
            return response
        try:
            done: Response = service.json_response(actions[action](json.loads(body or b"{}")))
            return done
        except ApiError as error:
            refused: Response = service.error_response_json(*error.args, 400)
            return refused

    service.handle_request = handle
