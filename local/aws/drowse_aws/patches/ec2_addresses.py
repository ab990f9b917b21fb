"""Elastic IPs."""

from __future__ import annotations

from .. import clock, lifecycle
from ..emulator import Record, Response, ec2, new_hex
from ..query import Parameters, truth, xml
from ..registry import patch
from .ec2_filters import fits
from .ec2_instances import tags_of

_NEEDS = ("services.ec2._ACTION_MAP", "services.ec2._addresses", "services.ec2._tag_set_xml")


def _error(code: str, message: str) -> Response:
    answer: Response = ec2._error(code, message, 400)
    return answer


@patch(
    "ec2-address-association",
    "An associated Elastic IP does not become the instance's public address, an unknown or pending instance is "
    "accepted, and AllowReassociation is ignored.",
    _NEEDS,
)
def associate_addresses() -> None:
    ec2._ACTION_MAP["AssociateAddress"] = _associate
    ec2._ACTION_MAP["DisassociateAddress"] = _disassociate
    inner = ec2._ACTION_MAP["ReleaseAddress"]

    def release(parameters: Parameters) -> Response:
        address = ec2._addresses.get(ec2._p(parameters, "AllocationId"))
        if address is not None and address.get("AssociationId"):
            return _error("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")
        answer: Response = inner(parameters)
        return answer

    ec2._ACTION_MAP["ReleaseAddress"] = release


def _associate(parameters: Parameters) -> Response:
    allocation_id = ec2._p(parameters, "AllocationId")
    address = ec2._addresses.get(allocation_id)
    if address is None:
        return _error("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")
    interface = ec2._network_interfaces.get(ec2._p(parameters, "NetworkInterfaceId")) or {}
    instance_id = ec2._p(parameters, "InstanceId") or (interface.get("Attachment") or {}).get("InstanceId")
    instance = ec2._instances.get(instance_id)
    if instance is None:
        return _error("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
    state = lifecycle.state(instance)
    if state not in ("running", "stopped"):
        return _error(
            "InvalidInstanceID", f"The {state} instance '{instance_id}' is not in a valid state for this operation."
        )
    with clock.LOCK:
        held_elsewhere = address.get("InstanceId") not in (None, "", instance_id)
        if held_elsewhere and not truth(ec2._p(parameters, "AllowReassociation") or "true"):
            return _error("Resource.AlreadyAssociated", f"resource {allocation_id} is already associated")
        if address.get("InstanceId") != instance_id:
            _take_away(address)
            for other in ec2._addresses.values():
                if other.get("InstanceId") == instance_id:
                    _take_away(other)
            give(address, instance)
    association = f"<return>true</return><associationId>{address['AssociationId']}</associationId>"
    answer: Response = ec2._xml(200, "AssociateAddressResponse", association)
    return answer


def give(address: Record, instance: Record) -> None:
    """Associate an Elastic IP: the instance's automatic public address is lost, as on AWS."""
    address.update(
        AssociationId=f"eipassoc-{new_hex()}",
        InstanceId=instance["InstanceId"],
        NetworkInterfaceId=instance.get("_interface"),
        PrivateIpAddress=instance["PrivateIpAddress"],
    )
    instance["PublicIpAddress"] = address["PublicIp"]
    instance["PublicDnsName"] = f"ec2-{address['PublicIp'].replace('.', '-')}.compute-1.amazonaws.com"


def _disassociate(parameters: Parameters) -> Response:
    association_id = ec2._p(parameters, "AssociationId")
    for address in ec2._addresses.values():
        if association_id and address.get("AssociationId") == association_id:
            _take_away(address)
            answer: Response = ec2._xml(200, "DisassociateAddressResponse", "<return>true</return>")
            return answer
    return _error("InvalidAssociationID.NotFound", f"The association ID '{association_id}' does not exist")


def _take_away(address: Record) -> None:
    instance = ec2._instances.get(address.get("InstanceId"))
    if instance is not None and instance["PublicIpAddress"] == address["PublicIp"]:
        instance["PublicIpAddress"] = ec2._random_ip("54.") if instance.get("_auto_public") else ""
    address.update(AssociationId=None, InstanceId=None, NetworkInterfaceId=None, PrivateIpAddress=None)


@patch(
    "ec2-address-description",
    "DescribeAddresses ignores filters, PublicIps and unknown IDs, and leaves out the private address and interface.",
    _NEEDS,
)
def describe_addresses() -> None:
    ec2._ACTION_MAP["DescribeAddresses"] = _describe


def _describe(parameters: Parameters) -> Response:
    filters = ec2._parse_filters(parameters)
    ids = ec2._parse_member_list(parameters, "AllocationId")
    public = ec2._parse_member_list(parameters, "PublicIp")
    known = list(ec2._addresses.values())
    for allocation_id in ids:
        if allocation_id not in ec2._addresses:
            return _error("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")
    for one in public:
        if one not in [address["PublicIp"] for address in known]:
            return _error("InvalidAddress.NotFound", f"Address '{one}' not found.")
    items = "".join(
        f"<item>{xml(_shown(address))}{ec2._tag_set_xml(address['AllocationId'])}</item>"
        for address in known
        if (not ids or address["AllocationId"] in ids)
        and (not public or address["PublicIp"] in public)
        and ec2._resource_matches_tag_filters(address["AllocationId"], filters)
        and fits(_values(address), filters)
    )
    answer: Response = ec2._xml(200, "DescribeAddressesResponse", f"<addressesSet>{items}</addressesSet>")
    return answer


def _shown(address: Record) -> Record:
    return {
        "allocationId": address["AllocationId"],
        "publicIp": address["PublicIp"],
        "domain": address["Domain"],
        "associationId": address.get("AssociationId") or None,
        "instanceId": address.get("InstanceId") or None,
        "networkInterfaceId": address.get("NetworkInterfaceId") or None,
        "privateIpAddress": address.get("PrivateIpAddress") or None,
    }


def _values(address: Record) -> Record:
    return {
        "allocation-id": address["AllocationId"],
        "association-id": address.get("AssociationId"),
        "domain": address["Domain"],
        "instance-id": address.get("InstanceId"),
        "network-interface-id": address.get("NetworkInterfaceId"),
        "private-ip-address": address.get("PrivateIpAddress"),
        "public-ip": address["PublicIp"],
        "tag-key": list(tags_of(address["AllocationId"])),
    }
