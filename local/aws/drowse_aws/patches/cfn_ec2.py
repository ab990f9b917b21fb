"""Elastic IPs and volumes in templates."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, ec2
from ..query import flat, truth
from ..registry import patch
from ..templates import Created, ResourceError, add_type, made, must, tag_list

_NEEDS = ("services.cloudformation.provisioners._RESOURCE_HANDLERS",)
_VOLUME_ONLY = ("AvailabilityZone", "Size", "VolumeType", "SnapshotId", "Iops", "Encrypted", "Throughput", "KmsKeyId")


@patch(
    "cfn-elastic-ip",
    "AWS::EC2::EIP and AWS::EC2::EIPAssociation are missing.",
    (*_NEEDS, "services.ec2._allocate_address", "services.ec2._addresses"),
)
def deploy_addresses() -> None:
    add_type("AWS::EC2::EIP", _address, _release, _retag_address, **{"import": _adopt_address})
    add_type("AWS::EC2::EIPAssociation", _associate, _disassociate)


def _address(logical_id: str, props: Record, stack: str) -> Created:
    allocation_id = made(_call("AllocateAddress", {"Domain": "vpc"}), "allocationId", logical_id)
    address = ec2._addresses[allocation_id]
    ec2._tags[allocation_id] = tag_list(props)
    if props.get("InstanceId"):
        must(_call("AssociateAddress", {"AllocationId": allocation_id, "InstanceId": props["InstanceId"]}), logical_id)
    return _address_created(address)


def _address_created(address: Record) -> Created:
    return str(address["PublicIp"]), {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}


def _by_public_ip(public_ip: str) -> Record | None:
    return next((one for one in ec2._addresses.values() if one["PublicIp"] == public_ip), None)


def _release(physical_id: str, props: Record) -> None:
    address = _by_public_ip(physical_id)
    if address is not None:
        must(_call("ReleaseAddress", {"AllocationId": address["AllocationId"]}), physical_id)


def _retag_address(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    address = _by_public_ip(physical_id)
    if address is None:
        raise ResourceError(f"the Elastic IP {physical_id} does not exist any more")
    ec2._tags[address["AllocationId"]] = tag_list(new)
    return _address_created(address)


def _adopt_address(identifier: Record) -> Created:
    address = _by_public_ip(str(identifier.get("PublicIp")))
    if address is None:
        raise ResourceError(f"no Elastic IP {identifier.get('PublicIp')} to import")
    return _address_created(address)


def _associate(logical_id: str, props: Record, stack: str) -> Created:
    must(_call("AssociateAddress", props), logical_id)
    association_id = str(ec2._addresses[props["AllocationId"]]["AssociationId"])
    return association_id, {"Id": association_id}


def _disassociate(physical_id: str, props: Record) -> None:
    if any(one.get("AssociationId") == physical_id for one in ec2._addresses.values()):
        must(_call("DisassociateAddress", {"AssociationId": physical_id}), physical_id)


@patch(
    "cfn-volume",
    "AWS::EC2::Volume and AWS::EC2::VolumeAttachment are missing.",
    (*_NEEDS, "services.ec2._create_volume", "services.ec2._volumes", "services.ec2._create_snapshot"),
)
def deploy_volumes() -> None:
    add_type(
        "AWS::EC2::Volume",
        _volume,
        _delete_volume,
        _change_volume,
        snapshot=_snapshot_volume,
        **{"import": _adopt_volume},
    )
    add_type("AWS::EC2::VolumeAttachment", _attach, _detach)


def _volume(logical_id: str, props: Record, stack: str) -> Created:
    if not props.get("AvailabilityZone"):
        raise ResourceError("AvailabilityZone is required")
    wanted = {key: value for key, value in props.items() if key in _VOLUME_ONLY}
    volume_id = made(_call("CreateVolume", wanted), "volumeId", logical_id)
    ec2._tags[volume_id] = tag_list(props)
    return volume_id, {"VolumeId": volume_id}


def _change_volume(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    volume = ec2._volumes.get(physical_id)
    if volume is None:
        raise ResourceError(f"the volume {physical_id} does not exist any more")
    fixed = ("AvailabilityZone", "SnapshotId", "KmsKeyId")
    if any(old.get(name) != new.get(name) for name in fixed) or truth(old.get("Encrypted")) != truth(
        new.get("Encrypted")
    ):
        raise ResourceError("this change needs a new volume, and a state volume is never replaced by an update")
    if int(new.get("Size", volume["Size"])) < volume["Size"]:
        raise ResourceError("New size cannot be smaller than existing size")
    for name in ("Size", "Iops", "Throughput"):
        if new.get(name):
            volume[name] = int(new[name])
    volume["VolumeType"] = new.get("VolumeType") or volume["VolumeType"]
    ec2._tags[physical_id] = [*_own_tags(physical_id, old), *tag_list(new)]
    return physical_id, {"VolumeId": physical_id}


def _own_tags(volume_id: str, old: Record) -> list[Record]:
    """Tags that did not come from the template, such as those that nodes write."""
    declared = {tag["Key"] for tag in tag_list(old)}
    return [tag for tag in ec2._tags.get(volume_id, []) if tag["Key"] not in declared]


def _delete_volume(physical_id: str, props: Record) -> None:
    if physical_id in ec2._volumes:
        must(_call("DeleteVolume", {"VolumeId": physical_id}), physical_id)


def _snapshot_volume(physical_id: str, props: Record) -> None:
    if physical_id not in ec2._volumes:
        return
    asked = {"VolumeId": physical_id, "Description": f"last of {physical_id}"}
    snapshot_id = made(_call("CreateSnapshot", asked), "snapshotId", physical_id)
    ec2._tags[snapshot_id] = [dict(tag) for tag in ec2._tags.get(physical_id, [])]


def _adopt_volume(identifier: Record) -> Created:
    volume_id = str(identifier.get("VolumeId"))
    if volume_id not in ec2._volumes:
        raise ResourceError(f"no volume {volume_id} to import")
    return volume_id, {"VolumeId": volume_id}


def _attach(logical_id: str, props: Record, stack: str) -> Created:
    must(_call("AttachVolume", props), logical_id)
    return f"{props['VolumeId']}|{props['InstanceId']}", {}


def _detach(physical_id: str, props: Record) -> None:
    volume = ec2._volumes.get(props["VolumeId"])
    if volume is not None and volume["Attachments"]:
        must(_call("DetachVolume", {"VolumeId": props["VolumeId"]}), physical_id)


def _call(action: str, props: Record) -> Any:
    return ec2._ACTION_MAP[action](flat(props, member=""))
