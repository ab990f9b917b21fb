"""What a command is, and who answers it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any

from ..cluster import Cluster
from ..node import Node


@dataclasses.dataclass
class Command:
    """One invocation on one node."""

    document: str
    parameters: dict[str, str]
    node: Node
    cluster: Cluster


class CommandFailedError(Exception):
    """A script ended with a named error: ``{"ok": false, "error", "message", …}`` and a non-zero code."""

    def __init__(self, error: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.result: dict[str, Any] = {"ok": False, "error": error, "message": message, **more}


#: Yields simulated seconds and returns the result's fields beside ``ok``.
Answer = Callable[[Command], Generator[float, None, dict[str, Any]]]

_answers: dict[str, Answer] = {}
#: Documents whose scripts work on a node whose API does not answer.
_without_api: set[str] = set()


def answers(document: str, needs_api: bool = True) -> Callable[[Answer], Answer]:
    """Register the decorated function as the answer to ``<cluster>-<document>``."""

    def register(function: Answer) -> Answer:
        _answers[document] = function
        if not needs_api:
            _without_api.add(document)
        return function

    return register


def answer_to(document: str) -> Answer | None:
    """The answer to a document without the cluster's name."""
    return _answers.get(document)


def works_without_api(document: str) -> bool:
    """Whether the script of a document without the cluster's name works on a node whose API does not answer."""
    return document in _without_api
