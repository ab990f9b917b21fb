"""Answers to Run Command: what the scripts behind drowse's documents would do, done to the emulator.

A document's answer is found by its name without the cluster's: ``drowse-drain-nodes`` → ``drain-nodes``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any

from ..cluster import Cluster
from ..node import Node

_count = 0


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


def find(document: str, cluster_name: str) -> Answer | None:
    """The answer to a document of a cluster."""
    from . import etcd, joining, looking, platform, workloads  # noqa: F401 (each registers its answers)

    return _answers.get(document.removeprefix(f"{cluster_name}-"))


def needs_api(document: str, cluster_name: str) -> bool:
    """Whether the document's script is of use only where the API answers."""
    return document.removeprefix(f"{cluster_name}-") not in _without_api


def counted() -> None:
    """One more command was sent."""
    global _count
    _count += 1


def count() -> int:
    """How many commands were sent so far."""
    return _count
