"""Groups, their members, and what they tell: activities and events.

A group and a member are ministack's own records. What is only ours has a name with an underscore.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from .. import events
from ..emulator import Record, autoscaling, ec2, new_uuid

#: AWS keeps activities for six weeks; this many are plenty for a run.
_ACTIVITIES_KEPT = 100


def group(name: str) -> Record | None:
    """The group of that name."""
    found: Record | None = autoscaling._asgs.get(name)
    return found


def groups() -> list[Record]:
    """All groups of the account and region."""
    return list(autoscaling._asgs.values())


def find(instance_id: str) -> tuple[Record, Record] | None:
    """The group and member record of an instance."""
    for one in groups():
        for member in one["Instances"]:
            if member["InstanceId"] == instance_id:
                return one, member
    return None


def counted(one: Record) -> list[Record]:
    """The members that count towards the desired capacity: not leaving, not in standby."""
    out = ("Terminating", "Terminated", "Standby", "EnteringStandby", "Detaching")
    return [member for member in one["Instances"] if not member["LifecycleState"].startswith(out)]


def tags(one: Record, propagated: bool = False) -> dict[str, str]:
    """The group's tags, or only those that go to its instances."""
    return {
        str(tag["Key"]): str(tag["Value"])
        for tag in one.get("Tags", [])
        if not propagated or tag.get("PropagateAtLaunch")
    }


def suspended(one: Record, process: str) -> bool:
    """Whether a scaling process is suspended."""
    return process in one.setdefault("_suspended", set())


def hooks(one: Record, transition: str) -> Iterator[Record]:
    """The group's lifecycle hooks on LAUNCHING or TERMINATING."""
    for hook in list(autoscaling._hooks.values()):
        ours = hook["AutoScalingGroupName"] == one["AutoScalingGroupName"]
        if ours and hook["LifecycleTransition"] == f"autoscaling:EC2_INSTANCE_{transition}":
            yield hook


def open_activity(one: Record, description: str, cause: str, instance: Record | None = None) -> Record:
    """Begin a scaling activity; it is the newest from now on."""
    activity: Record = {
        "ActivityId": new_uuid(),
        "AutoScalingGroupName": one["AutoScalingGroupName"],
        "Description": description,
        "Cause": f"At {_now()} {cause}",
        "StartTime": _now(),
        "EndTime": None,
        "StatusCode": "InProgress",
        "StatusMessage": None,
        "Progress": 50,
        "AutoScalingGroupARN": one["AutoScalingGroupARN"],
        "_instance": instance["InstanceId"] if instance else None,
    }
    kept: list[Record] = one.setdefault("_activities", [])
    kept.insert(0, activity)
    del kept[_ACTIVITIES_KEPT:]
    return activity


def close_activity(activity: Record, status: str, message: str | None = None) -> None:
    """End an activity as Successful, Failed or Cancelled; without effect when it already ended."""
    if activity["EndTime"] is None:
        activity.update(StatusCode=status, StatusMessage=message, EndTime=_now(), Progress=100)


def event(one: Record, detail_type: str, instance_id: str, activity: Record, **more: Any) -> None:
    """Tell EventBridge about a launch or termination, as Auto Scaling does."""
    detail = {
        "AutoScalingGroupName": one["AutoScalingGroupName"],
        "ActivityId": activity["ActivityId"],
        "RequestId": activity["ActivityId"],
        "EC2InstanceId": instance_id,
        "StatusCode": activity["StatusCode"],
        "StatusMessage": activity["StatusMessage"] or "",
        "Description": activity["Description"],
        "Cause": activity["Cause"],
        "StartTime": activity["StartTime"],
        "EndTime": activity["EndTime"] or _now(),
        **more,
    }
    resources = [one["AutoScalingGroupARN"]]
    instance = ec2._instances.get(instance_id)
    if instance is not None:
        owner = one["AutoScalingGroupARN"].split(":")
        resources.append(f"arn:aws:ec2:{owner[3]}:{owner[4]}:instance/{instance_id}")
    events.emit("aws.autoscaling", detail_type, detail, resources)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
