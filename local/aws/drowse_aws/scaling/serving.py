"""Answering Auto Scaling's calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..emulator import Record, Response, autoscaling
from ..query import Parameters, nested
from . import groups

Handler = Callable[[Parameters], Response]


class RefusedError(Exception):
    """A call that is answered with an error; the arguments are code and message."""


def served(function: Callable[[Record], Response]) -> Handler:
    """A handler for ministack from a function of the request's nested parameters, which may raise RefusedError."""

    def handle(parameters: Parameters) -> Response:
        try:
            return function(nested(parameters))
        except RefusedError as refused:
            return error(*refused.args)

    return handle


def error(code: str, message: str) -> Response:
    """An error answer of Auto Scaling."""
    answered: Response = autoscaling._error(code, message)
    return answered


def answer(action: str, result: str = "") -> Response:
    """A successful answer of Auto Scaling."""
    done: Response = autoscaling._xml(200, f"{action}Response", f"<{action}Result>{result}</{action}Result>")
    return done


def the_group(asked: Record) -> Record:
    """The group that a request names. Raises RefusedError."""
    name: Any = asked.get("AutoScalingGroupName")
    found = groups.group(str(name))
    if found is None:
        raise RefusedError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return found


def the_member(asked: Record) -> tuple[Record, Record]:
    """The group and member of the instance that a request names. Raises RefusedError."""
    found = groups.find(str(asked.get("InstanceId")))
    if found is None:
        message = f"Instance Id not found - No managed instance found for instance ID {asked.get('InstanceId')}"
        raise RefusedError("ValidationError", message)
    return found
