"""Subnet CIDR reservations."""

from __future__ import annotations

import ipaddress

from .. import lifecycle
from ..emulator import Record, Response, account, ec2, new_hex
from ..query import Parameters, nested, xml
from ..registry import patch


class ReservationError(Exception):
    """A reservation that AWS refuses; the arguments are code and message."""


def reserve(wanted: Record) -> Record:
    """Reserve a range of a subnet. Raises ReservationError."""
    subnet = ec2._subnets.get(wanted.get("SubnetId"))
    if subnet is None:
        raise ReservationError("InvalidSubnetID.NotFound", f"The subnet ID '{wanted.get('SubnetId')}' does not exist")
    network = ipaddress.ip_network(wanted["Cidr"])
    within = ipaddress.ip_network(subnet["CidrBlock"])
    if network.version != within.version or not network.subnet_of(within):  # type: ignore[arg-type]
        raise ReservationError("InvalidSubnetCidrReservation", f"{network} is not within {within}")
    for other in lifecycle.reservations().values():
        if other["SubnetId"] == subnet["SubnetId"] and ipaddress.ip_network(other["Cidr"]).overlaps(network):
            raise ReservationError("InvalidSubnetCidrReservation.Conflict", f"{network} overlaps {other['Cidr']}")
    record = {
        "SubnetCidrReservationId": f"scr-{new_hex()}",
        "SubnetId": subnet["SubnetId"],
        "Cidr": str(network),
        "ReservationType": wanted.get("ReservationType") or "explicit",
        "Description": wanted.get("Description") or "",
    }
    lifecycle.reservations()[record["SubnetCidrReservationId"]] = record
    return record


@patch(
    "ec2-subnet-reservations",
    "Subnet CIDR reservations are missing, and so is that a reserved address is never given out.",
    ("services.ec2._ACTION_MAP", "services.ec2._subnets"),
)
def reserve_ranges() -> None:
    ec2._ACTION_MAP.setdefault("CreateSubnetCidrReservation", _create)
    ec2._ACTION_MAP.setdefault("DeleteSubnetCidrReservation", _delete)
    ec2._ACTION_MAP.setdefault("GetSubnetCidrReservations", _get)


def _create(parameters: Parameters) -> Response:
    try:
        record = reserve(nested(parameters))
    except ReservationError as error:
        refused: Response = ec2._error(*error.args, 400)
        return refused
    return _answer("CreateSubnetCidrReservation", f"<subnetCidrReservation>{_shown(record)}</subnetCidrReservation>")


def _delete(parameters: Parameters) -> Response:
    reservation_id = ec2._p(parameters, "SubnetCidrReservationId")
    record = lifecycle.reservations().pop(reservation_id, None)
    if record is None:
        refused: Response = ec2._error(
            "InvalidSubnetCidrReservationID.NotFound", f"The reservation ID '{reservation_id}' does not exist", 400
        )
        return refused
    shown = f"<deletedSubnetCidrReservation>{_shown(record)}</deletedSubnetCidrReservation>"
    return _answer("DeleteSubnetCidrReservation", shown)


def _get(parameters: Parameters) -> Response:
    subnet_id = ec2._p(parameters, "SubnetId")
    items = "".join(
        f"<item>{_shown(one)}</item>" for one in lifecycle.reservations().values() if one["SubnetId"] == subnet_id
    )
    shown = f"<subnetIpv4CidrReservationSet>{items}</subnetIpv4CidrReservationSet>"
    return _answer("GetSubnetCidrReservations", shown)


def _answer(action: str, body: str) -> Response:
    answer: Response = ec2._xml(200, f"{action}Response", body)
    return answer


def _shown(record: Record) -> str:
    return xml({**{key[0].lower() + key[1:]: value for key, value in record.items()}, "ownerId": account()})
