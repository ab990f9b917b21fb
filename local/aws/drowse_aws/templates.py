"""Helpers for CloudFormation types: what a template's properties become in ministack's handlers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from . import clock
from .emulator import Record, provisioners

#: What a handler returns: physical ID and attributes.
Created = tuple[str, Record]


def add_type(
    name: str,
    create: Callable[[str, Record, str], Created],
    delete: Callable[[str, Record], None],
    update: Callable[[str, Record, Record, str], Created] | None = None,
    **more: Any,
) -> None:
    """Register a resource type, unless ministack has it by itself."""
    handler: Record = {"create": create, "delete": delete, **more}
    if update is not None:
        handler["update"] = update
    provisioners._RESOURCE_HANDLERS.setdefault(name, handler)


def physical_name(stack: str, logical_id: str, most: int = 128) -> str:
    """A name as CloudFormation makes it for a resource without one."""
    return str(provisioners._physical_name(stack, logical_id, max_len=most))


def tag_list(props: Record) -> list[Record]:
    """The Tags property as EC2 keeps tags; a map of tags too."""
    given = props.get("Tags") or []
    if isinstance(given, dict):
        given = [{"Key": key, "Value": value} for key, value in given.items()]
    return [{"Key": str(tag["Key"]), "Value": str(tag.get("Value", ""))} for tag in given]


class ResourceError(Exception):
    """A resource that cannot be made; CloudFormation shows the message as its status reason."""


def must(response: Any, what: str) -> None:
    """Raise ResourceError unless a service answered with success."""
    if response[0] >= 300:
        raise ResourceError(f"{what}: {response[2].decode(errors='replace')}")


def made(response: Any, element: str, what: str) -> str:
    """The ID that a service's answer gives in the named element. Raises ResourceError when it is an error."""
    must(response, what)
    found = re.search(rf"<{element}>([^<]+)</{element}>", response[2].decode())
    if found is None:
        raise ResourceError(f"{what}: no {element} in the answer")
    return found.group(1)


def wait_until(done: Callable[[], bool], simulated_seconds: float, what: str) -> None:
    """Wait as CloudFormation does for a slow deletion; only from a stack's own thread. Raises ResourceError."""
    deadline = time.monotonic() + clock.scaled(simulated_seconds) + 5
    while not done():
        if time.monotonic() > deadline:
            raise ResourceError(f"{what} took more than {simulated_seconds:g} s")
        time.sleep(0.02)
