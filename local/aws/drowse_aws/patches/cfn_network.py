"""Security group rules, subnet reservations and NAT gateways in templates."""

from __future__ import annotations

from typing import Any

from .. import clock, lifecycle
from ..emulator import Record, alb, ec2, new_hex, provisioners
from ..query import flat
from ..registry import patch
from ..templates import Created, add_type, made, must, tag_list
from .ec2_reservations import reserve

_NEEDS = ("services.cloudformation.provisioners._RESOURCE_HANDLERS", "services.ec2._ACTION_MAP")


@patch(
    "cfn-security-group-rules",
    "AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress are missing.",
    (*_NEEDS, "services.ec2._security_groups"),
)
def deploy_rules() -> None:
    for direction in ("Ingress", "Egress"):
        add_type(f"AWS::EC2::SecurityGroup{direction}", _adding(direction), _revoking(direction))


def _permission(props: Record) -> Record:
    described = {"Description": props["Description"]} if props.get("Description") else {}
    permission = {key: props[key] for key in ("IpProtocol", "FromPort", "ToPort") if props.get(key) is not None}
    for name, target, key in (
        ("CidrIp", "IpRanges", "CidrIp"),
        ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
        ("SourceSecurityGroupId", "Groups", "GroupId"),
        ("DestinationSecurityGroupId", "Groups", "GroupId"),
        ("SourcePrefixListId", "PrefixListIds", "PrefixListId"),
        ("DestinationPrefixListId", "PrefixListIds", "PrefixListId"),
    ):
        if props.get(name) is not None:
            permission[target] = [{key: props[name], **described}]
    return {"GroupId": props["GroupId"], "IpPermissions": [permission]}


def _adding(direction: str) -> Any:
    def create(logical_id: str, props: Record, stack: str) -> Created:
        answer = ec2._ACTION_MAP[f"AuthorizeSecurityGroup{direction}"](flat(_permission(props), member=""))
        must(answer, logical_id)
        rule_id = f"sgr-{new_hex()}"
        return rule_id, {"Id": rule_id}

    return create


def _revoking(direction: str) -> Any:
    def delete(physical_id: str, props: Record) -> None:
        if props.get("GroupId") in ec2._security_groups:
            ec2._ACTION_MAP[f"RevokeSecurityGroup{direction}"](flat(_permission(props), member=""))

    return delete


@patch(
    "cfn-subnet-reservation",
    "AWS::EC2::SubnetCidrReservation is missing.",
    _NEEDS,
)
def deploy_reservations() -> None:
    add_type("AWS::EC2::SubnetCidrReservation", _reserve, _unreserve)


def _reserve(logical_id: str, props: Record, stack: str) -> Created:
    record = reserve(props)
    reservation_id = str(record["SubnetCidrReservationId"])
    return reservation_id, {"SubnetCidrReservationId": reservation_id}


def _unreserve(physical_id: str, props: Record) -> None:
    lifecycle.reservations().pop(physical_id, None)


@patch("cfn-nat-gateway", "AWS::EC2::NatGateway is missing.", (*_NEEDS, "services.ec2._nat_gateways"))
def deploy_nat_gateways() -> None:
    add_type("AWS::EC2::NatGateway", _nat_gateway, lambda physical_id, props: ec2._nat_gateways.pop(physical_id, None))


def _nat_gateway(logical_id: str, props: Record, stack: str) -> Created:
    wanted = {key: props[key] for key in ("SubnetId", "AllocationId", "ConnectivityType") if props.get(key)}
    answer = ec2._ACTION_MAP["CreateNatGateway"](flat(wanted, member=""))
    gateway_id = made(answer, "natGatewayId", logical_id)
    ec2._tags[gateway_id] = tag_list(props)
    return gateway_id, {"NatGatewayId": gateway_id}


@patch(
    "cfn-target-group-targets",
    "AWS::ElasticLoadBalancingV2::TargetGroup drops its Targets.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS", "services.alb._targets"),
)
def deploy_targets() -> None:
    handler = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"]
    inner_create, inner_update = handler["create"], handler["update"]

    def create(logical_id: str, props: Record, stack: str) -> Created:
        created: Created = inner_create(logical_id, props, stack)
        _register(created[0], {}, props)
        return created

    def update(physical_id: str, old: Record, new: Record, stack: str, *more: Any) -> Created:
        updated: Created = inner_update(physical_id, old, new, stack, *more)
        _register(updated[0], old, new)
        return updated

    handler.update(create=create, update=update)


def _register(arn: str, old: Record, new: Record) -> None:
    """Only the template's own targets: what workflows registered stays."""
    declared = {str(one["Id"]) for one in old.get("Targets") or []}
    wanted = {str(one["Id"]): one for one in new.get("Targets") or []}
    kept = [one for one in alb._targets.get(arn) or [] if one["Id"] not in declared - set(wanted)]
    known = {one["Id"] for one in kept}
    for target_id, one in wanted.items():
        if target_id not in known:
            port = {"Port": int(one["Port"])} if one.get("Port") else {}
            kept.append({"Id": target_id, **port, "_since": clock.now()})
    alb._targets[arn] = kept
