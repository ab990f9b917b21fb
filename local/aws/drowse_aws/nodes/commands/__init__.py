"""Answers to Run Command: what the scripts behind drowse's documents would do, done to the emulator.

A document's answer is found by its name without the cluster's: ``drowse-drain-nodes`` → ``drain-nodes``.
"""

from __future__ import annotations

from . import etcd, joining, looking, platform, workloads  # noqa: F401 (each registers its answers)
from .command import Answer, Command, CommandFailedError, answer_to, works_without_api

__all__ = ["Command", "CommandFailedError", "count", "counted", "find", "needs_api"]

_count = 0


def find(document: str, cluster_name: str) -> Answer | None:
    """The answer to a document of a cluster."""
    return answer_to(document.removeprefix(f"{cluster_name}-"))


def needs_api(document: str, cluster_name: str) -> bool:
    """Whether the document's script is of use only where the API answers."""
    return not works_without_api(document.removeprefix(f"{cluster_name}-"))


def counted() -> None:
    """One more command was sent."""
    global _count
    _count += 1


def count() -> int:
    """How many commands were sent so far."""
    return _count
