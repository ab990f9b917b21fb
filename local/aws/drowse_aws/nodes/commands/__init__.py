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


def answers(document: str) -> Callable[[Answer], Answer]:
    """Register the decorated function as the answer to ``<cluster>-<document>``."""

    def register(function: Answer) -> Answer:
        _answers[document] = function
        return function

    return register


def find(document: str, cluster_name: str) -> Answer | None:
    """The answer to a document of a cluster."""
    from . import etcd, joining, platform, workloads  # noqa: F401 (each registers its answers)

    return _answers.get(document.removeprefix(f"{cluster_name}-"))


def counted() -> None:
    """One more command was sent."""
    global _count
    _count += 1


def count() -> int:
    """How many commands were sent so far."""
    return _count
