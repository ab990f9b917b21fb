"""Calls on single instances of a group."""

from __future__ import annotations

from ..emulator import Record, Response, autoscaling, ec2
from ..query import as_list, truth, xml
from ..registry import patch
from ..scaling import capacity, groups
from ..scaling.serving import RefusedError, answer, served, the_group, the_member
from .autoscaling_describe import shown_activity

_SIZES = (("min-size", "MinSize"), ("max-size", "MaxSize"), ("desired-size", "DesiredCapacity"))


@patch(
    "autoscaling-members",
    "TerminateInstanceInAutoScalingGroup, SetInstanceProtection, SetInstanceHealth, DetachInstances, AttachInstances, "
    "EnterStandby and ExitStandby are missing.",
    ("services.autoscaling._ACTION_MAP", "services.autoscaling._asgs"),
)
def know_members() -> None:
    for action, function in (
        ("TerminateInstanceInAutoScalingGroup", _terminate),
        ("SetInstanceProtection", _protect),
        ("SetInstanceHealth", _health),
        ("DetachInstances", _detach),
        ("AttachInstances", _attach),
        ("EnterStandby", _enter_standby),
        ("ExitStandby", _exit_standby),
    ):
        autoscaling._ACTION_MAP.setdefault(action, served(function))


def _terminate(asked: Record) -> Response:
    one, member = the_member(asked)
    if truth(asked.get("ShouldDecrementDesiredCapacity")):
        if one["DesiredCapacity"] <= one["MinSize"]:
            message = (
                f"Currently, desiredSize equals minSize ({one['MinSize']}). Terminating instance without replacement "
                "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or "
                "lower group's min size."
            )
            raise RefusedError("ValidationError", message)
        one["DesiredCapacity"] -= 1
    smaller = capacity.shrinking(one) if truth(asked.get("ShouldDecrementDesiredCapacity")) else ""
    activity = capacity.remove(one, member, f"{capacity.OUT_OF_SERVICE} a user request{smaller}")
    capacity.reconcile(one)
    shown = xml({"Activity": shown_activity(activity)}) if activity else ""
    return answer("TerminateInstanceInAutoScalingGroup", shown)


def _members(asked: Record) -> tuple[Record, list[Record]]:
    one = the_group(asked)
    ids = as_list(asked.get("InstanceIds"))
    members = [member for member in one["Instances"] if member["InstanceId"] in ids]
    unknown = sorted(set(ids) - {member["InstanceId"] for member in members})
    if unknown:
        name = one["AutoScalingGroupName"]
        raise RefusedError("ValidationError", f"The instance {unknown[0]} is not part of Auto Scaling group {name}.")
    return one, members


def _protect(asked: Record) -> Response:
    for member in _members(asked)[1]:
        member["ProtectedFromScaleIn"] = truth(asked.get("ProtectedFromScaleIn"))
    return answer("SetInstanceProtection")


def _health(asked: Record) -> Response:
    one, member = the_member(asked)
    member["HealthStatus"] = asked.get("HealthStatus", "Healthy")
    capacity.replace(one, member)
    return _empty("SetInstanceHealth")


def _detach(asked: Record) -> Response:
    one, members = _members(asked)
    for member in members:
        one["Instances"].remove(member)
    _shrink(one, asked, len(members))
    return answer("DetachInstances", "<Activities/>")


def _attach(asked: Record) -> Response:
    one = the_group(asked)
    for instance_id in as_list(asked.get("InstanceIds")):
        instance = ec2._instances.get(instance_id)
        if instance is None:
            raise RefusedError("ValidationError", f"Invalid Instance ID(s): {instance_id}")
        one["Instances"].append(
            {
                "InstanceId": instance_id,
                "InstanceType": instance["InstanceType"],
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
                "ProtectedFromScaleIn": bool(one.get("NewInstancesProtectedFromScaleIn")),
                "LaunchTemplate": {},
                "LaunchConfigurationName": "",
            }
        )
    one["DesiredCapacity"] = max(one["DesiredCapacity"], len(groups.counted(one)))
    return _empty("AttachInstances")


def _enter_standby(asked: Record) -> Response:
    one, members = _members(asked)
    if truth(asked.get("ShouldDecrementDesiredCapacity")) and one["DesiredCapacity"] - len(members) < one["MinSize"]:
        raise _sizes_forbid(one, f"To place into standby {len(members)} instance(s)")
    for member in members:
        member["LifecycleState"] = "Standby"
    _shrink(one, asked, len(members))
    return answer("EnterStandby", "<Activities/>")


def _exit_standby(asked: Record) -> Response:
    one, members = _members(asked)
    if one["DesiredCapacity"] + len(members) > one["MaxSize"]:
        raise _sizes_forbid(one, f"To place into service {len(members)} instance(s)")
    for member in members:
        member.update(LifecycleState="InService", HealthStatus="Healthy")
    one["DesiredCapacity"] += len(members)
    return answer("ExitStandby", "<Activities/>")


def _sizes_forbid(one: Record, wish: str) -> RefusedError:
    sizes = ", ".join(f"{short}={one[name]}" for short, name in _SIZES)
    message = f"AutoScalingGroup {one['AutoScalingGroupName']} has {sizes}. {wish}, please update the sizes."
    return RefusedError("ValidationError", message)


def _shrink(one: Record, asked: Record, by: int) -> None:
    if truth(asked.get("ShouldDecrementDesiredCapacity")):
        one["DesiredCapacity"] = max(one["MinSize"], one["DesiredCapacity"] - by)
    capacity.reconcile(one)


def _empty(action: str) -> Response:
    response: Response = autoscaling._xml(200, f"{action}Response", "")
    return response
