"""Lifecycle hooks that gate: an instance waits until every hook was completed, abandoned or timed out."""

from __future__ import annotations

from collections.abc import Callable

from .. import clock, events
from ..emulator import Record, new_uuid
from . import groups

#: Called with CONTINUE or ABANDON once no hook holds the instance any more.
Outcome = Callable[[str], None]


def hold(one: Record, member: Record, transition: str, then: Outcome) -> None:
    """Put a member into `Pending:Wait` or `Terminating:Wait` for the group's hooks; without hooks go on at once."""
    waiting = list(groups.hooks(one, transition))
    if not waiting:
        then("CONTINUE")
        return
    phase = "Pending" if transition == "LAUNCHING" else "Terminating"
    member["LifecycleState"] = f"{phase}:Wait"
    member["_then"] = then
    member["_holds"] = {}
    for hook in waiting:
        token = new_uuid()
        member["_holds"][hook["LifecycleHookName"]] = {"token": token, "hook": hook, "timer": None}
        arm(one, member, hook["LifecycleHookName"])
        _announce(one, member, hook, token, transition)


def arm(one: Record, member: Record, name: str) -> None:
    """(Re)start the heartbeat of one hook. Real seconds: what completes it does not run faster than it can."""
    held = member["_holds"][name]
    if held["timer"] is not None:
        held["timer"].cancel()
    hook, token = held["hook"], held["token"]
    held["timer"] = clock.CLOCK.after_real(
        hook["HeartbeatTimeout"], lambda: finish(one, member, name, token, hook["DefaultResult"])
    )


def finish(one: Record, member: Record, name: str, token: str, result: str) -> None:
    """One hook is done: ABANDON decides at once, CONTINUE when it was the last."""
    with clock.LOCK:
        held = (member.get("_holds") or {}).get(name)
        if held is None or held["token"] != token:
            return
        held["timer"].cancel()
        del member["_holds"][name]
        if result == "ABANDON" or not member["_holds"]:
            then: Outcome = member["_then"]
            release(member)
            then(result)


def release(member: Record) -> None:
    """Forget all hooks that hold a member."""
    for held in (member.pop("_holds", None) or {}).values():
        if held["timer"] is not None:
            held["timer"].cancel()
    member.pop("_then", None)


def _announce(one: Record, member: Record, hook: Record, token: str, transition: str) -> None:
    launching = transition == "LAUNCHING"
    detail = {
        "LifecycleActionToken": token,
        "AutoScalingGroupName": one["AutoScalingGroupName"],
        "LifecycleHookName": hook["LifecycleHookName"],
        "EC2InstanceId": member["InstanceId"],
        "LifecycleTransition": hook["LifecycleTransition"],
        "Origin": "EC2" if launching else "AutoScalingGroup",
        "Destination": "AutoScalingGroup" if launching else "EC2",
    }
    if hook["NotificationMetadata"]:
        detail["NotificationMetadata"] = hook["NotificationMetadata"]
    kind = "launch" if launching else "terminate"
    events.emit("aws.autoscaling", f"EC2 Instance-{kind} Lifecycle Action", detail, [one["AutoScalingGroupARN"]])
