"""Instance refreshes: one member after the other is replaced."""

from __future__ import annotations

import datetime

from .. import clock
from ..emulator import Record, new_uuid
from . import capacity

#: Simulated seconds between two looks whether the replacement is in service.
_POLL = 5.0
_OPEN = ("Pending", "InProgress", "Cancelling")


def current(one: Record) -> Record | None:
    """The refresh that is under way."""
    for refresh in one.get("InstanceRefreshes", []):
        if refresh["Status"] in _OPEN:
            found: Record = refresh
            return found
    return None


def start(one: Record, preferences: Record) -> Record:
    """Begin to replace every member that is there now."""
    members = list(one["Instances"])
    refresh: Record = {
        "InstanceRefreshId": new_uuid(),
        "AutoScalingGroupName": one["AutoScalingGroupName"],
        "Status": "Pending",
        "StatusReason": "",
        "StartTime": _now(),
        "EndTime": None,
        "PercentageComplete": 0,
        "InstancesToUpdate": len(members),
        "Preferences": preferences,
    }
    one.setdefault("InstanceRefreshes", []).insert(0, refresh)
    clock.CLOCK.start(_replace_all(one, refresh, members))
    return refresh


def _replace_all(one: Record, refresh: Record, members: list[Record]) -> clock.Process:
    yield _POLL
    if refresh["Status"] == "Pending":
        refresh["Status"] = "InProgress"
    for number, member in enumerate(members, 1):
        if refresh["Status"] != "InProgress":
            break
        capacity.remove(one, member, f"{capacity.OUT_OF_SERVICE} an instance refresh")
        capacity.reconcile(one)
        while member in one["Instances"] or not _settled(one):
            yield _POLL
        refresh["InstancesToUpdate"] = len(members) - number
        refresh["PercentageComplete"] = 100 * number // len(members)
    refresh["Status"] = "Successful" if refresh["Status"] == "InProgress" else "Cancelled"
    if refresh["Status"] == "Successful":
        refresh["PercentageComplete"] = 100
    refresh["EndTime"] = _now()


def _settled(one: Record) -> bool:
    serving = [member for member in one["Instances"] if member["LifecycleState"] == "InService"]
    return len(serving) >= int(one["DesiredCapacity"])


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
