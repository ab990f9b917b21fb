"""Faults that tests set through ``POST /_drowse/faults``; each kind is asked for by the part that it disturbs.

========== ==================================================================================================
capacity   ``{"group", "error", "instanceTypes"?, "market"?}``: launches of that group fail with that error
           (InsufficientInstanceCapacity, MaxSpotInstanceCountExceeded, VcpuLimitExceeded; any other text is what
           the activity says), for the named types or market only if given
balancer   ``{"error", "message"?, "action"?}``: that action of ELB (CreateLoadBalancer by default) answers that error
neverJoins ``{"group"}``: its nodes stop for ever at the phase before ``ready``
failPhase  ``{"group", "reason", "phase"?}``: its nodes end as ``failed:<reason>`` instead of in that phase
           (``runtime`` by default)
command    ``{"document", "error", "message"?, "times"?}``: the next commands of that document (with or without
           the cluster's name in front) fail with that error, once by default
interrupt  ``{"group"}``: at once, and only once: EC2 warns the group's instances of a spot interruption, and takes
           them two simulated minutes later
hang       ``{"group", "phase", "minutes"}``: at once, and only once: the group's instances were started so many minutes
           ago, are at that phase since, and say no more
========== ==================================================================================================

One POST may carry several kinds; ``{"clear": true}`` drops all before that.
"""

from __future__ import annotations

import threading
from typing import Any

from . import mishaps

_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "capacity": ({"group", "error"}, {"instanceTypes", "market"}),
    "balancer": ({"error"}, {"message", "action"}),
    "neverJoins": ({"group"}, set()),
    "failPhase": ({"group", "reason"}, {"phase"}),
    "command": ({"document", "error"}, {"message", "times"}),
    "interrupt": ({"group"}, set()),
    "hang": ({"group", "phase", "minutes"}, set()),
}
#: They happen once, when they are asked for.
_AT_ONCE = ("interrupt", "hang")


class FaultError(Exception):
    """A fault that is not one; the message says what is allowed."""


class Faults:
    """The faults that are set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: list[tuple[str, dict[str, Any]]] = []

    def add(self, wanted: Any) -> None:
        """Set the faults of one request. Raises FaultError, and then sets none."""
        if not isinstance(wanted, dict) or not wanted:
            raise FaultError(f"a fault is a JSON object of {', '.join(_FIELDS)} or clear")
        added = [(kind, _checked(kind, fields)) for kind, fields in wanted.items() if kind != "clear"]
        for kind, fields in added:
            if kind == "interrupt":
                mishaps.interrupt(str(fields["group"]))
            if kind == "hang":
                mishaps.hang(str(fields["group"]), str(fields["phase"]), float(fields["minutes"]))
        with self._lock:
            if wanted.get("clear"):
                self._set.clear()
            self._set.extend(fault for fault in added if fault[0] not in _AT_ONCE)

    def clear(self) -> None:
        """Drop all faults."""
        with self._lock:
            self._set.clear()

    def described(self) -> list[dict[str, Any]]:
        """The faults as they were set, with what is left of their times."""
        with self._lock:
            return [{kind: dict(fields)} for kind, fields in self._set]

    def capacity(self, group: str, instance_type: str, market: str) -> str | None:
        """The error with which this launch fails, if it does."""
        for fields in self._of("capacity", "group", group):
            types = fields.get("instanceTypes")
            if (types is None or instance_type in types) and fields.get("market") in (None, market):
                return str(fields["error"])
        return None

    def balancer(self, action: str) -> tuple[str, str] | None:
        """Error and message with which this action of ELB fails, if it does."""
        with self._lock:
            for kind, fields in self._set:
                if kind == "balancer" and fields.get("action", "CreateLoadBalancer") == action:
                    return str(fields["error"]), str(fields.get("message", "a fault set by a test"))
        return None

    def never_joins(self, group: str) -> bool:
        """Whether nodes of the group never become ready."""
        return bool(self._of("neverJoins", "group", group))

    def fail_phase(self, group: str, phase: str) -> str | None:
        """The reason with which nodes of the group fail in this phase, if they do."""
        for fields in self._of("failPhase", "group", group):
            if fields.get("phase", "runtime") == phase:
                return str(fields["reason"])
        return None

    def command(self, document: str) -> tuple[str, str] | None:
        """Error and message with which this command fails, if it does; that counts as one of its times."""
        with self._lock:
            for kind, fields in self._set:
                name = fields.get("document", "")
                if kind != "command" or not (document == name or document.endswith(f"-{name}")):
                    continue
                fields["times"] = int(fields.get("times", 1)) - 1
                if fields["times"] <= 0:
                    self._set.remove((kind, fields))
                return str(fields["error"]), str(fields.get("message", "a fault set by a test"))
        return None

    def _of(self, kind: str, key: str, value: str) -> list[dict[str, Any]]:
        with self._lock:
            return [fields for known, fields in self._set if known == kind and fields.get(key) == value]


def _checked(kind: str, fields: Any) -> dict[str, Any]:
    if kind not in _FIELDS:
        raise FaultError(f"'{kind}' is not a fault; known are {', '.join(_FIELDS)} and clear")
    needed, optional = _FIELDS[kind]
    if not isinstance(fields, dict) or not needed <= set(fields) <= needed | optional:
        raise FaultError(f"{kind} needs {', '.join(sorted(needed))} and may have {', '.join(sorted(optional)) or '-'}")
    return dict(fields)


FAULTS = Faults()
