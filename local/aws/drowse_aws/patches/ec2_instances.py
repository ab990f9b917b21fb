"""Instances as their launch says: place, addresses, disks, tags, market, and states that take their time."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

from .. import clock, durations, lifecycle
from ..emulator import Record, account, ec2, new_hex, region
from ..query import truth, xml
from ..registry import patch

#: AWS keeps the first four addresses of a subnet (and the last).
_RESERVED_HOSTS = 4


@dataclasses.dataclass
class Launch:
    """What to launch: the launch template's data with the call's own on top."""

    data: Record
    subnet_id: str
    count: int = 1
    market: str = "on-demand"
    private_ip: str = ""
    client_token: str = ""
    tags: list[Record] = dataclasses.field(default_factory=list)


def template_data(reference: Record) -> Record:
    """The data of the launch template version that is referred to; {} when there is none."""
    if not (reference.get("LaunchTemplateId") or reference.get("LaunchTemplateName")):
        return {}
    wanted = dict(reference)
    known = {one["LaunchTemplateName"]: one["LaunchTemplateId"] for one in ec2._launch_templates.values()}
    if wanted.get("LaunchTemplateId") in known:  # ministack writes a name there when a group was given only that
        wanted["LaunchTemplateId"] = known[wanted["LaunchTemplateId"]]
    data, _, error = ec2._resolve_launch_template_data(wanted)
    return {} if error else dict(data)


def launch(wanted: Launch) -> list[Record]:
    """Make the instances: `pending` now, `running` some simulated seconds later."""
    data = wanted.data
    interfaces = data.get("NetworkInterfaces") or []
    groups = data.get("SecurityGroupIds") or [one for each in interfaces for one in each.get("Groups", [])]
    profile_reference = data.get("IamInstanceProfile") or {}
    profile, _ = ec2._resolve_iam_instance_profile(
        iam_arn=profile_reference.get("Arn"), iam_name=profile_reference.get("Name"), allow_missing=True
    )
    instances: list[Record] = ec2._launch_instances_internal(
        image_id=data.get("ImageId") or "ami-00000000",
        instance_type=data.get("InstanceType") or "t3.micro",
        subnet_id=wanted.subnet_id or ec2._DEFAULT_SUBNET_ID,
        count=wanted.count,
        key_name=data.get("KeyName") or "",
        user_data=data.get("UserData") or "",
        sg_ids=groups or None,
        requested_private_ip=wanted.private_ip or None,
        iam_profile=profile,
    )
    for index, instance in enumerate(instances):
        instance["AmiLaunchIndex"] = index
        instance["ClientToken"] = wanted.client_token
        instance["InstanceLifecycle"] = "spot" if wanted.market == "spot" else None
        instance["MetadataOptions"] = data.get("MetadataOptions") or {}
        if interfaces and "AssociatePublicIpAddress" in interfaces[0]:
            _set_public_address(instance, truth(interfaces[0]["AssociatePublicIpAddress"]))
        _shape_volumes(instance, data.get("BlockDeviceMappings") or [])
        _tag(instance, data.get("TagSpecifications") or [], wanted.tags)
    return instances


def _shape_volumes(instance: Record, mappings: list[Record]) -> None:
    root = ec2._volumes[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
    for mapping in mappings:
        disk = mapping.get("Ebs") or {}
        volume = root
        if mapping.get("DeviceName") not in (instance["RootDeviceName"], "/dev/sda1", "/dev/xvda"):
            volume = _further_volume(instance, root, str(mapping.get("DeviceName")))
        for name, key in (("VolumeSize", "Size"), ("Iops", "Iops"), ("Throughput", "Throughput")):
            if disk.get(name):
                volume[key] = int(disk[name])
        volume["VolumeType"] = disk.get("VolumeType") or volume["VolumeType"]
        volume["Encrypted"] = truth(disk.get("Encrypted", volume["Encrypted"]))
        volume["Attachments"][0]["DeleteOnTermination"] = truth(disk.get("DeleteOnTermination", True))


def _further_volume(instance: Record, root: Record, device: str) -> Record:
    volume_id = ec2._new_volume_id()
    attachment = {**root["Attachments"][0], "VolumeId": volume_id, "Device": device}
    volume: Record = {**root, "VolumeId": volume_id, "Attachments": [attachment]}
    ec2._volumes[volume_id] = volume
    described = {**instance["BlockDeviceMappings"][0]["Ebs"], "VolumeId": volume_id}
    instance["BlockDeviceMappings"].append({"DeviceName": device, "Ebs": described})
    return volume


def _tag(instance: Record, specifications: list[Record], own: list[Record]) -> None:
    by_kind = {str(one.get("ResourceType")): one.get("Tags") or [] for one in specifications}
    merged = {str(tag["Key"]): str(tag.get("Value", "")) for tag in [*by_kind.get("instance", []), *own]}
    ec2._tags[instance["InstanceId"]] = tag_list(merged)
    for mapping in instance["BlockDeviceMappings"]:
        ec2._tags[mapping["Ebs"]["VolumeId"]] = [dict(tag) for tag in by_kind.get("volume", [])]
    ec2._tags[instance["_interface"]] = [dict(tag) for tag in by_kind.get("network-interface", [])]


def tag_list(tags: dict[str, str]) -> list[Record]:
    """Tags as EC2 keeps them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(resource_id: str) -> dict[str, str]:
    """The tags of an EC2 resource."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in ec2._tags.get(resource_id, [])}


def set_tags(resource_id: str, tags: dict[str, str]) -> None:
    """Set some tags of an EC2 resource, as CreateTags does."""
    ec2._tags[resource_id] = tag_list({**tags_of(resource_id), **tags})


def free_address(subnet_id: str) -> str:
    """The first private address of the subnet that nobody holds and no reservation keeps for explicit use."""
    subnet = ec2._subnets[subnet_id]
    taken = {
        address
        for interface in ec2._network_interfaces.values()
        if interface["SubnetId"] == subnet_id
        for address in [interface["PrivateIpAddress"], *interface.get("_secondary", [])]
    }
    kept = [
        ipaddress.ip_network(one["Cidr"], strict=False)
        for one in lifecycle.reservations().values()
        if one["SubnetId"] == subnet_id and one["ReservationType"] == "explicit"
    ]
    for number, host in enumerate(ipaddress.ip_network(subnet["CidrBlock"]).hosts(), 1):
        if number >= _RESERVED_HOSTS and str(host) not in taken and not any(host in network for network in kept):
            return str(host)
    raise RuntimeError(f"no free address in {subnet_id}")


@patch(
    "ec2-instance-placement",
    "An instance gets an address outside its subnet, always zone a, always a public address, no network interface, "
    "and is running at once without an event.",
    (
        "services.ec2._launch_instances_internal",
        "services.ec2._network_interfaces",
        "services.ec2._subnets",
        "services.ec2._volumes",
    ),
)
def place_instances() -> None:
    inner = ec2._launch_instances_internal

    def launch_all(*positional: Any, **named: Any) -> list[Record]:
        with clock.LOCK:
            instances: list[Record] = inner(*positional, **named)
            for instance in instances:
                _place(instance, named.get("requested_private_ip"))
        return instances

    ec2._launch_instances_internal = launch_all


def _place(instance: Record, requested: str | None) -> None:
    subnet = ec2._subnets.get(instance["SubnetId"])
    if subnet is not None:
        address = requested or free_address(subnet["SubnetId"])
        domain = "ec2.internal" if region() == "us-east-1" else f"{region()}.compute.internal"
        instance["PrivateIpAddress"] = address
        instance["PrivateDnsName"] = f"ip-{address.replace('.', '-')}.{domain}"
        instance["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
        _set_public_address(instance, bool(subnet.get("MapPublicIpOnLaunch")))
        for mapping in instance["BlockDeviceMappings"]:
            ec2._volumes[mapping["Ebs"]["VolumeId"]]["AvailabilityZone"] = subnet["AvailabilityZone"]
    _add_interface(instance)
    instance["State"] = {"Code": 0, "Name": "pending"}
    lifecycle.started(instance, durations.INSTANCE_PENDING)


def _set_public_address(instance: Record, wanted: bool) -> None:
    instance["_auto_public"] = wanted
    instance["PublicIpAddress"] = instance["PublicIpAddress"] or ec2._random_ip("54.") if wanted else ""
    if not wanted:
        instance["PublicDnsName"] = ""


def _add_interface(instance: Record) -> None:
    interface_id = f"eni-{new_hex()}"
    instance["_interface"] = interface_id
    ec2._network_interfaces[interface_id] = {
        "NetworkInterfaceId": interface_id,
        "SubnetId": instance["SubnetId"],
        "VpcId": instance["VpcId"],
        "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
        "Description": "",
        "OwnerId": account(),
        "Status": "in-use",
        "PrivateIpAddress": instance["PrivateIpAddress"],
        "InterfaceType": "interface",
        "SourceDestCheck": True,
        "MacAddress": ":".join(["0a", *(new_hex(2) for _ in range(5))]),
        "Groups": instance["SecurityGroups"],
        "Attachment": {
            "AttachmentId": f"eni-attach-{new_hex()}",
            "InstanceId": instance["InstanceId"],
            "DeviceIndex": 0,
            "Status": "attached",
            "AttachTime": instance["LaunchTime"],
        },
    }


@patch(
    "ec2-instance-description",
    "DescribeInstances leaves out interfaces, metadata options, market and client token, and shows empty elements "
    "where AWS has none.",
    ("services.ec2._instance_xml", "services.ec2._eni_fields_xml"),
)
def describe_more() -> None:
    inner = ec2._instance_xml

    def describe(instance: Record) -> str:
        options = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1, **(instance.get("MetadataOptions") or {})}
        interface = ec2._network_interfaces.get(instance.get("_interface"))
        more = xml(
            {
                "instanceLifecycle": instance.get("InstanceLifecycle"),
                "clientToken": instance.get("ClientToken") or None,
                "metadataOptions": {
                    "state": "applied",
                    "httpTokens": options["HttpTokens"],
                    "httpPutResponseHopLimit": options["HttpPutResponseHopLimit"],
                    "httpEndpoint": options.get("HttpEndpoint", "enabled"),
                },
            }
        )
        if instance.get("_reason"):
            more += xml({"stateReason": instance["_reason"], "reason": instance["_reason"]["message"]})
        if interface is not None:
            more += f"<networkInterfaceSet>{ec2._eni_fields_xml(interface)}</networkInterfaceSet>"
        text = str(inner(instance)).replace("<amiLaunchIndex>", f"{more}<amiLaunchIndex>", 1)
        for empty in ("dnsName", "ipAddress", "keyName"):
            text = text.replace(f"<{empty}></{empty}>", "", 1)
        return text

    ec2._instance_xml = describe
