"""RunInstances and small changes of instances."""

from __future__ import annotations

from typing import Any

from .. import clock
from ..emulator import Record, Response, ec2, new_hex, region
from ..query import Parameters, as_list, nested, truth
from ..registry import patch
from .ec2_instances import Launch, launch, template_data


def _error(code: str, message: str) -> Response:
    answer: Response = ec2._error(code, message, 400)
    return answer


@patch(
    "ec2-run-instances",
    "RunInstances ignores the launch template, MaxCount, ClientToken, the market and tags of volumes and interfaces.",
    ("services.ec2._ACTION_MAP", "services.ec2._parse_lt_data"),
)
def run_as_asked() -> None:
    ec2._ACTION_MAP["RunInstances"] = _run


def _run(parameters: Parameters) -> Response:
    asked = nested(parameters)
    reference = asked.get("LaunchTemplate") or {}
    data = template_data(reference)
    if reference and not data:
        return _error("InvalidLaunchTemplateId.NotFoundException", "The specified launch template does not exist.")
    # The call's own parameters have the shape of launch template data without its prefix.
    own = ec2._parse_lt_data({f"LaunchTemplateData.{name}": value for name, value in parameters.items()})
    specifications = [*(data.get("TagSpecifications") or []), *(own.pop("TagSpecifications", None) or [])]
    data = {**data, **own, "TagSpecifications": _merged(specifications)}
    least, most = int(asked.get("MinCount", 1)), int(asked.get("MaxCount", 1))
    if least > most:
        return _error("InvalidParameterCombination", f"MinCount ({least}) must not exceed MaxCount ({most}).")
    token = str(asked.get("ClientToken", ""))
    with clock.LOCK:
        instances = [one for one in ec2._instances.values() if token and one.get("ClientToken") == token]
        if not instances:
            interfaces = data.get("NetworkInterfaces") or [{}]
            subnet_id = str(asked.get("SubnetId") or interfaces[0].get("SubnetId") or ec2._DEFAULT_SUBNET_ID)
            if subnet_id not in ec2._subnets:
                return _error("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
            market = ((asked.get("InstanceMarketOptions") or {}).get("MarketType")) or "on-demand"
            instances = launch(Launch(data, subnet_id, most, market, str(asked.get("PrivateIpAddress", "")), token))
    described = "".join(ec2._instance_xml(one) for one in instances)
    answer: Response = ec2._xml(
        200,
        "RunInstancesResponse",
        f"<reservationId>r-{new_hex()}</reservationId><instancesSet>{described}</instancesSet>",
    )
    return answer


def _merged(specifications: list[Record]) -> list[Record]:
    kinds: dict[str, dict[str, Any]] = {}
    for one in specifications:
        tags = kinds.setdefault(str(one.get("ResourceType")), {})
        tags.update({str(tag["Key"]): tag for tag in as_list(one.get("Tags"))})
    return [{"ResourceType": kind, "Tags": list(tags.values())} for kind, tags in kinds.items()]


@patch(
    "ec2-modify-instances",
    "ModifyInstanceAttribute and ModifyInstanceMetadataOptions are missing.",
    ("services.ec2._ACTION_MAP",),
)
def modify_instances() -> None:
    ec2._ACTION_MAP.setdefault("ModifyInstanceAttribute", _modify_attribute)
    ec2._ACTION_MAP.setdefault("ModifyInstanceMetadataOptions", _modify_metadata)


def _modify_attribute(parameters: Parameters) -> Response:
    asked = nested(parameters)
    instance = ec2._instances.get(asked.get("InstanceId"))
    if instance is None:
        return _error("InvalidInstanceID.NotFound", f"The instance ID '{asked.get('InstanceId')}' does not exist")
    if "SourceDestCheck" in asked:
        value = asked["SourceDestCheck"]
        instance["SourceDestCheck"] = truth(value["Value"] if isinstance(value, dict) else value)
        interface = ec2._network_interfaces.get(instance.get("_interface"))
        if interface is not None:
            interface["SourceDestCheck"] = instance["SourceDestCheck"]
    answer: Response = ec2._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")
    return answer


def _modify_metadata(parameters: Parameters) -> Response:
    asked = nested(parameters)
    instance = ec2._instances.get(asked.get("InstanceId"))
    if instance is None:
        return _error("InvalidInstanceID.NotFound", f"The instance ID '{asked.get('InstanceId')}' does not exist")
    changed = {key: asked[key] for key in ("HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit") if key in asked}
    instance["MetadataOptions"] = {**(instance.get("MetadataOptions") or {}), **changed}
    tokens = instance["MetadataOptions"].get("HttpTokens", "optional")
    answer: Response = ec2._xml(
        200,
        "ModifyInstanceMetadataOptionsResponse",
        f"<instanceId>{instance['InstanceId']}</instanceId><instanceMetadataOptions><state>pending</state>"
        f"<httpTokens>{tokens}</httpTokens><httpEndpoint>enabled</httpEndpoint></instanceMetadataOptions>",
    )
    return answer


@patch(
    "ec2-type-offerings",
    "DescribeInstanceTypeOfferings is missing.",
    ("services.ec2._ACTION_MAP", "services.ec2._parse_filters"),
)
def offer_types() -> None:
    ec2._ACTION_MAP.setdefault("DescribeInstanceTypeOfferings", _offerings)


def _offerings(parameters: Parameters) -> Response:
    from .ec2_instance_types import TYPES

    filters = ec2._parse_filters(parameters)
    kind = ec2._p(parameters, "LocationType") or "region"
    places = [region()] if kind == "region" else [f"{region()}{zone}" for zone in "abc"]
    items = "".join(
        f"<item><instanceType>{name}</instanceType><locationType>{kind}</locationType><location>{place}</location></item>"
        for name in TYPES
        for place in places
        if name in filters.get("instance-type", [name]) and place in filters.get("location", [place])
    )
    answer: Response = ec2._xml(
        200, "DescribeInstanceTypeOfferingsResponse", f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
    )
    return answer
