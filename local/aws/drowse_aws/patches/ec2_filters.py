"""Filters of EC2's Describe calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..emulator import Record, Response, ec2
from ..query import Parameters, text
from ..registry import patch

_TAGS = {"tag-key", "tag:*"}
#: Filters that ministack honours by itself, by call; and those added below. Any other name is an error, as on AWS.
KNOWN: dict[str, set[str]] = {
    "DescribeInstances": {
        *_TAGS,
        "architecture",
        "availability-zone",
        "client-token",
        "iam-instance-profile.arn",
        "image-id",
        "instance-id",
        "instance-lifecycle",
        "instance-state-code",
        "instance-state-name",
        "instance-type",
        "instance.group-id",
        "instance.group-name",
        "ip-address",
        "network-interface.group-id",
        "network-interface.network-interface-id",
        "private-dns-name",
        "private-ip-address",
        "subnet-id",
        "vpc-id",
    },
    "DescribeInstanceStatus": {"availability-zone", "instance-state-code", "instance-state-name"},
    "DescribeAddresses": {
        *_TAGS,
        "allocation-id",
        "association-id",
        "domain",
        "instance-id",
        "network-interface-id",
        "private-ip-address",
        "public-ip",
    },
    "DescribeNetworkInterfaces": {
        *_TAGS,
        "addresses.private-ip-address",
        "attachment.instance-id",
        "attachment.device-index",
        "attachment.status",
        "availability-zone",
        "group-id",
        "network-interface-id",
        "private-ip-address",
        "status",
        "subnet-id",
        "vpc-id",
    },
    "DescribeVolumes": {
        *_TAGS,
        "attachment.attach-time",
        "attachment.delete-on-termination",
        "attachment.device",
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "create-time",
        "encrypted",
        "multi-attach-enabled",
        "size",
        "snapshot-id",
        "status",
        "volume-id",
        "volume-type",
    },
    "DescribeSnapshots": {
        *_TAGS,
        "description",
        "encrypted",
        "owner-id",
        "snapshot-id",
        "start-time",
        "status",
        "volume-id",
        "volume-size",
    },
    "DescribeSecurityGroups": {*_TAGS, "group-name", "vpc-id"},
    "DescribeSecurityGroupRules": {"tag:*", "tag-key", "group-id", "security-group-rule-id"},
    "DescribeSubnets": {
        *_TAGS,
        "availability-zone",
        "cidr-block",
        "default-for-az",
        "subnet-id",
        "vpc-id",
    },
    "DescribeVpcs": {*_TAGS, "cidr", "is-default", "owner-id", "state", "vpc-id"},
    "DescribeImages": {
        *_TAGS,
        "architecture",
        "description",
        "image-id",
        "is-public",
        "name",
        "owner-alias",
        "owner-id",
        "platform",
        "root-device-name",
        "root-device-type",
        "state",
        "virtualization-type",
    },
    "DescribeRouteTables": {
        *_TAGS,
        "association.main",
        "association.route-table-association-id",
        "association.subnet-id",
        "vpc-id",
    },
    "DescribeInternetGateways": {
        *_TAGS,
        "attachment.state",
        "attachment.vpc-id",
        "internet-gateway-id",
        "owner-id",
    },
    "DescribeNatGateways": {*_TAGS, "state", "subnet-id", "vpc-id"},
    "DescribeLaunchTemplates": {*_TAGS, "launch-template-name"},
    "DescribeTags": {"key", "resource-id", "resource-type", "value"},
    "DescribeInstanceTypes": {"instance-type"},
    "DescribeInstanceTypeOfferings": {"instance-type", "location"},
    "DescribeAvailabilityZones": set(),
    "DescribeVpcEndpoints": set(),
    "DescribeKeyPairs": set(),
    "DescribeLaunchTemplateVersions": set(),
}


@patch(
    "ec2-unknown-filters",
    "A Describe call ignores a filter that it does not know and answers everything.",
    ("services.ec2._ACTION_MAP", "services.ec2._parse_filters", "services.ec2._error"),
)
def refuse_unknown_filters() -> None:
    for action, known in KNOWN.items():
        if action in ec2._ACTION_MAP:
            ec2._ACTION_MAP[action] = _checked(ec2._ACTION_MAP[action], known)


def _checked(inner: Callable[[Parameters], Response], known: Iterable[str]) -> Callable[[Parameters], Response]:
    names = set(known)

    def describe(parameters: Parameters) -> Response:
        for name in ec2._parse_filters(parameters):
            if name not in names and not (name.startswith("tag:") and "tag:*" in names):
                message = f"The filter '{name}' is invalid, or one that the embedded AWS does not honour"
                refused: Response = ec2._error("InvalidParameterValue", message, 400)
                return refused
        return inner(parameters)

    return describe


@patch(
    "ec2-instance-filters",
    "DescribeInstances knows only the filters for tags, state, type and image.",
    ("services.ec2._matches_filters", "services.ec2._glob_match"),
)
def filter_instances() -> None:
    inner = ec2._matches_filters

    def matches(instance: Record, filters: dict[str, list[str]]) -> bool:
        return bool(inner(instance, filters)) and fits(_instance_values(instance), filters)

    ec2._matches_filters = matches


def _instance_values(instance: Record) -> dict[str, Any]:
    groups = instance.get("SecurityGroups", [])
    return {
        "architecture": instance["Architecture"],
        "availability-zone": instance["Placement"]["AvailabilityZone"],
        "client-token": instance.get("ClientToken"),
        "iam-instance-profile.arn": (instance.get("IamInstanceProfile") or {}).get("Arn"),
        "instance-id": instance["InstanceId"],
        "instance-lifecycle": instance.get("InstanceLifecycle"),
        "instance-state-code": instance["State"]["Code"],
        "instance.group-id": [group["GroupId"] for group in groups],
        "instance.group-name": [group["GroupName"] for group in groups],
        "ip-address": instance["PublicIpAddress"],
        "network-interface.group-id": [group["GroupId"] for group in groups],
        "network-interface.network-interface-id": instance.get("_interface"),
        "private-dns-name": instance["PrivateDnsName"],
        "private-ip-address": instance["PrivateIpAddress"],
        "subnet-id": instance["SubnetId"],
        "vpc-id": instance["VpcId"],
    }


def fits(values: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    """Whether each filter named in ``values`` matches (one of) the value(s); ``*`` and ``?`` are wildcards."""
    for name, patterns in filters.items():
        if name not in values:
            continue
        value = values[name]
        found = [text(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
        if not any(ec2._glob_match(pattern, one) for pattern in patterns for one in found):
            return False
    return True


@patch(
    "ec2-instance-status-filters",
    "DescribeInstanceStatus ignores filters, and answers for unknown instance IDs by nothing.",
    ("services.ec2._describe_instance_status", "services.ec2._matches_filters"),
)
def filter_instance_status() -> None:
    inner = ec2._ACTION_MAP["DescribeInstanceStatus"]

    def describe(parameters: Parameters) -> Response:
        filters = ec2._parse_filters(parameters)
        asked = ec2._parse_member_list(parameters, "InstanceId")
        for instance_id in asked:
            if instance_id not in ec2._instances:
                missing: Response = ec2._error(
                    "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 400
                )
                return missing
        if not filters:
            response: Response = inner(parameters)
            return response
        chosen = [one for one in ec2._instances.values() if ec2._matches_filters(one, filters)]
        ids = [one["InstanceId"] for one in chosen if not asked or one["InstanceId"] in asked]
        narrowed = {key: value for key, value in parameters.items() if not key.startswith("InstanceId")}
        numbered = {f"InstanceId.{number}": [one] for number, one in enumerate(ids or ["none"], 1)}
        answer: Response = inner({**narrowed, **numbered})
        return answer

    ec2._ACTION_MAP["DescribeInstanceStatus"] = describe
