"""Network interfaces and their secondary addresses."""

from __future__ import annotations

import ipaddress

from .. import clock, hardware
from ..emulator import Record, Response, ec2
from ..query import Parameters, truth, xml
from ..registry import patch
from .ec2_filters import fits
from .ec2_instances import free_address, tags_of


@patch(
    "ec2-secondary-addresses",
    "AssignPrivateIpAddresses and UnassignPrivateIpAddresses are missing, and interfaces show no secondary address.",
    ("services.ec2._ACTION_MAP", "services.ec2._network_interfaces", "services.ec2._eni_fields_xml"),
)
def assign_addresses() -> None:
    ec2._ACTION_MAP["AssignPrivateIpAddresses"] = _assign
    ec2._ACTION_MAP["UnassignPrivateIpAddresses"] = _unassign
    inner = ec2._eni_fields_xml

    def describe(interface: Record, tag: str = "item") -> str:
        items = "".join(
            f"<item>{xml({'privateIpAddress': one, 'primary': False})}</item>"
            for one in interface.get("_secondary", [])
        )
        before, end, after = str(inner(interface, tag)).partition("</privateIpAddressesSet>")
        text = f"{before}{items}{end}{after}"
        public = _public(interface)
        if public:
            text = text.replace("<groupSet>", f"{xml({'association': public})}<groupSet>", 1)
        return text

    ec2._eni_fields_xml = describe


def _public(interface: Record) -> Record | None:
    instance = ec2._instances.get((interface.get("Attachment") or {}).get("InstanceId"))
    if instance is None or not instance["PublicIpAddress"]:
        return None
    elastic: Record = next((a for a in ec2._addresses.values() if a.get("InstanceId") == instance["InstanceId"]), {})
    return {
        "publicIp": instance["PublicIpAddress"],
        "ipOwnerId": interface["OwnerId"] if elastic else "amazon",
        "allocationId": elastic.get("AllocationId"),
        "associationId": elastic.get("AssociationId"),
    }


def take_address(interface: Record, address: str, reassign: bool) -> str | None:
    """Give the interface a secondary address; the message of the error when somebody else has it."""
    for other in ec2._network_interfaces.values():
        if other["SubnetId"] != interface["SubnetId"]:  # another network may have the same addresses
            continue
        if address == other["PrivateIpAddress"]:
            if other is interface:
                return None
            return f"The specified address is already in use as a primary address: {address}"
        if address in other.get("_secondary", []) and other is not interface:
            if not reassign:
                return f"{address} is already assigned to {other['NetworkInterfaceId']}"
            other["_secondary"].remove(address)
    held = interface.setdefault("_secondary", [])
    if address not in held:
        held.append(address)
    return None


def _assign(parameters: Parameters) -> Response:
    interface = ec2._network_interfaces.get(ec2._p(parameters, "NetworkInterfaceId"))
    if interface is None:
        return _no_interface(parameters)
    subnet = ec2._subnets.get(interface["SubnetId"])
    wanted = ec2._parse_member_list(parameters, "PrivateIpAddress")
    for address in wanted:
        if subnet and ipaddress.ip_address(address) not in ipaddress.ip_network(subnet["CidrBlock"]):
            message = f"Address {address} does not fall within the subnet's address range"
            return _error("InvalidParameterValue", message)
    with clock.LOCK:
        for _ in range(int(ec2._p(parameters, "SecondaryPrivateIpAddressCount") or 0)):
            wanted.append(free_address(interface["SubnetId"]))
            interface.setdefault("_secondary", []).append(wanted[-1])
        for address in wanted:
            taken = take_address(interface, address, truth(ec2._p(parameters, "AllowReassignment")))
            if taken:
                return _error("InvalidParameterValue", taken)
    for address in wanted:
        hardware.current().address_moved(address)
    assigned = xml([{"privateIpAddress": one} for one in wanted], "item")
    answer: Response = ec2._xml(
        200,
        "AssignPrivateIpAddressesResponse",
        f"<networkInterfaceId>{interface['NetworkInterfaceId']}</networkInterfaceId>"
        f"<assignedPrivateIpAddressesSet>{assigned}</assignedPrivateIpAddressesSet><return>true</return>",
    )
    return answer


def _unassign(parameters: Parameters) -> Response:
    interface = ec2._network_interfaces.get(ec2._p(parameters, "NetworkInterfaceId"))
    if interface is None:
        return _no_interface(parameters)
    for address in ec2._parse_member_list(parameters, "PrivateIpAddress"):
        if address not in interface.get("_secondary", []):
            return _error("InvalidParameterValue", f"{address} is not a secondary address of the interface")
        interface["_secondary"].remove(address)
    answer: Response = ec2._xml(200, "UnassignPrivateIpAddressesResponse", "<return>true</return>")
    return answer


def _no_interface(parameters: Parameters) -> Response:
    interface_id = ec2._p(parameters, "NetworkInterfaceId")
    return _error("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{interface_id}' does not exist")


def _error(code: str, message: str) -> Response:
    answer: Response = ec2._error(code, message, 400)
    return answer


@patch(
    "ec2-interface-filters",
    "DescribeNetworkInterfaces ignores all filters, and unknown IDs.",
    ("services.ec2._ACTION_MAP", "services.ec2._resource_matches_tag_filters"),
)
def filter_interfaces() -> None:
    def describe(parameters: Parameters) -> Response:
        filters = ec2._parse_filters(parameters)
        asked = ec2._parse_member_list(parameters, "NetworkInterfaceId")
        for interface_id in asked:
            if interface_id not in ec2._network_interfaces:
                message = f"The networkInterface ID '{interface_id}' does not exist"
                return _error("InvalidNetworkInterfaceID.NotFound", message)
        chosen = "".join(
            ec2._eni_fields_xml(one)
            for one in ec2._network_interfaces.values()
            if (not asked or one["NetworkInterfaceId"] in asked)
            and ec2._resource_matches_tag_filters(one["NetworkInterfaceId"], filters)
            and fits(_values(one), filters)
        )
        answer: Response = ec2._xml(
            200, "DescribeNetworkInterfacesResponse", f"<networkInterfaceSet>{chosen}</networkInterfaceSet>"
        )
        return answer

    ec2._ACTION_MAP["DescribeNetworkInterfaces"] = describe


def _values(interface: Record) -> Record:
    attachment = interface.get("Attachment") or {}
    return {
        "addresses.private-ip-address": [interface["PrivateIpAddress"], *interface.get("_secondary", [])],
        "attachment.device-index": attachment.get("DeviceIndex"),
        "attachment.instance-id": attachment.get("InstanceId"),
        "attachment.status": attachment.get("Status"),
        "availability-zone": interface["AvailabilityZone"],
        "group-id": [group["GroupId"] for group in interface["Groups"]],
        "network-interface-id": interface["NetworkInterfaceId"],
        "private-ip-address": interface["PrivateIpAddress"],
        "status": interface["Status"],
        "subnet-id": interface["SubnetId"],
        "tag-key": list(tags_of(interface["NetworkInterfaceId"])),
        "vpc-id": interface["VpcId"],
    }
