"""A ring buffer of the AWS calls served, for proofs of what which principal did."""

from __future__ import annotations

import collections
from typing import TypedDict

#: How many calls are kept; the oldest go first.
KEPT = 20_000


class Call(TypedDict):
    """One call. ``principal`` is the caller's ARN, ``action`` an IAM action such as ``ec2:RunInstances``."""

    at: str
    service: str
    action: str
    accessKey: str
    principal: str
    region: str
    status: int


_calls: collections.deque[Call] = collections.deque(maxlen=KEPT)


def record(call: Call) -> None:
    """Keep one call."""
    _calls.append(call)


def recorded() -> list[Call]:
    """The kept calls, oldest first."""
    return list(_calls)


def forget() -> None:
    """Drop the kept calls."""
    _calls.clear()
