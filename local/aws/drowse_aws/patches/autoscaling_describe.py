"""What Auto Scaling shows: groups, instances, activities."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, Response, autoscaling, ec2
from ..query import as_list, xml
from ..registry import patch
from ..scaling import groups
from ..scaling.serving import RefusedError, answer, served

_NEEDS = ("services.autoscaling._ACTION_MAP", "services.autoscaling._asgs")


@patch(
    "autoscaling-describe-groups",
    "DescribeAutoScalingGroups ignores filters (and answers every group), and leaves out the mixed instances policy, "
    "suspended processes and instance types.",
    _NEEDS,
)
def describe_groups() -> None:
    autoscaling._ACTION_MAP["DescribeAutoScalingGroups"] = served(_groups)


def _groups(asked: Record) -> Response:
    names = as_list(asked.get("AutoScalingGroupNames"))
    filters = [(str(f.get("Name")), as_list(f.get("Values"))) for f in as_list(asked.get("Filters"))]
    for name, _ in filters:
        if name not in ("tag-key", "tag-value") and not name.startswith("tag:"):
            raise RefusedError("ValidationError", f"Invalid filter name: {name}")
    chosen = [
        shown_group(one)
        for one in groups.groups()
        if (not names or one["AutoScalingGroupName"] in names) and _fits(groups.tags(one), filters)
    ]
    return answer("DescribeAutoScalingGroups", xml({"AutoScalingGroups": chosen}))


def _fits(tags: dict[str, str], filters: list[tuple[str, list[str]]]) -> bool:
    for name, values in filters:
        if name == "tag-key":
            found: list[str] = list(tags)
        elif name == "tag-value":
            found = list(tags.values())
        else:
            key = name.removeprefix("tag:")
            found = [tags[key]] if key in tags else []
        if not set(found) & set(values):
            return False
    return True


def shown_group(one: Record) -> Record:
    """A group as AWS describes it."""
    mixed = one.get("_mixed")
    template = one.get("LaunchTemplate") or None
    policy = mixed and {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": template,
            "Overrides": (mixed.get("LaunchTemplate") or {}).get("Overrides") or [],
        },
        "InstancesDistribution": mixed.get("InstancesDistribution") or {},
    }
    plain = (
        "AutoScalingGroupName",
        "AutoScalingGroupARN",
        "MinSize",
        "MaxSize",
        "DesiredCapacity",
        "DefaultCooldown",
        "AvailabilityZones",
        "HealthCheckType",
        "HealthCheckGracePeriod",
        "CreatedTime",
        "VPCZoneIdentifier",
        "TerminationPolicies",
        "NewInstancesProtectedFromScaleIn",
    )
    return {
        **{name: one[name] for name in plain},
        "CapacityRebalance": one.get("_capacity_rebalance"),
        "TargetGroupARNs": one.get("_target_groups") or [],
        "LaunchTemplate": None if policy else template,
        "MixedInstancesPolicy": policy or None,
        "LaunchConfigurationName": one.get("LaunchConfigurationName") or None,
        "SuspendedProcesses": [
            {"ProcessName": process, "SuspensionReason": "User suspended"}
            for process in sorted(one.get("_suspended", ()))
        ],
        "Instances": [_shown_member(member) for member in one["Instances"]],
        "Tags": one.get("Tags", []),
    }


def _shown_member(member: Record) -> Record:
    plain = ("InstanceId", "AvailabilityZone", "LifecycleState", "HealthStatus", "ProtectedFromScaleIn")
    instance = ec2._instances.get(member["InstanceId"]) or {}
    return {
        **{name: member[name] for name in plain},
        "InstanceType": member.get("InstanceType") or instance.get("InstanceType"),
        "LaunchTemplate": member.get("LaunchTemplate") or None,
    }


@patch(
    "autoscaling-describe-instances",
    "DescribeAutoScalingInstances leaves out instance types.",
    _NEEDS,
)
def describe_instances() -> None:
    autoscaling._ACTION_MAP["DescribeAutoScalingInstances"] = served(_instances)


def _instances(asked: Record) -> Response:
    ids = as_list(asked.get("InstanceIds"))
    shown = [
        {**_shown_member(member), "AutoScalingGroupName": one["AutoScalingGroupName"]}
        for one in groups.groups()
        for member in one["Instances"]
        if not ids or member["InstanceId"] in ids
    ]
    return answer("DescribeAutoScalingInstances", xml({"AutoScalingInstances": shown}))


@patch(
    "autoscaling-activities",
    "DescribeScalingActivities is always empty, so that nothing says why a launch failed.",
    _NEEDS,
)
def describe_activities() -> None:
    autoscaling._ACTION_MAP["DescribeScalingActivities"] = served(_activities)


def _activities(asked: Record) -> Response:
    name = asked.get("AutoScalingGroupName")
    ids = as_list(asked.get("ActivityIds"))
    shown: list[Any] = [
        shown_activity(activity)
        for one in groups.groups()
        if name in (None, one["AutoScalingGroupName"])
        for activity in one.get("_activities", [])
        if not ids or activity["ActivityId"] in ids
    ]
    limit = int(asked.get("MaxRecords") or 100)
    return answer("DescribeScalingActivities", xml({"Activities": shown[:limit]}))


def shown_activity(activity: Record) -> Record:
    """An activity as AWS describes it."""
    return {key: value for key, value in activity.items() if not key.startswith("_")}


@patch(
    "autoscaling-tag-filters",
    "DescribeTags ignores filters.",
    (*_NEEDS, "services.autoscaling._tags"),
)
def describe_tags() -> None:
    autoscaling._ACTION_MAP["DescribeTags"] = served(_tags)


def _tags(asked: Record) -> Response:
    filters = {str(f.get("Name")): as_list(f.get("Values")) for f in as_list(asked.get("Filters"))}
    unknown = sorted(set(filters) - {"auto-scaling-group", "key", "value", "propagate-at-launch"})
    if unknown:
        raise RefusedError("ValidationError", f"Invalid filter name: {unknown[0]}")

    def fits(tag: Record) -> bool:
        values = {
            "auto-scaling-group": tag["ResourceId"],
            "key": tag["Key"],
            "value": tag["Value"],
            "propagate-at-launch": str(bool(tag.get("PropagateAtLaunch"))).lower(),
        }
        return all(values[name] in wanted for name, wanted in filters.items())

    shown = [tag for tags in autoscaling._tags.values() for tag in tags if fits(tag)]
    return answer("DescribeTags", xml({"Tags": shown}))
