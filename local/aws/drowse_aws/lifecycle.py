"""The states of an instance over simulated time, and who wants to know of a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from . import clock, durations, events, hardware
from .emulator import Record, account, ec2, region

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
#: Called with each instance that changed its state: group members, node agent.
_listeners: list[Callable[[Record], None]] = []
_reservations: Any = None


def on_change(listener: Callable[[Record], None]) -> None:
    """Call ``listener`` after every change of an instance's state, in the instance's account and region."""
    _listeners.append(listener)


def reservations() -> Any:
    """Subnet CIDR reservations by ID: ministack has no store for them."""
    global _reservations
    if _reservations is None:
        from .emulator import responses

        _reservations = responses.AccountRegionScopedDict()
    return _reservations


def state(instance: Record) -> str:
    """The state's name."""
    return str(instance["State"]["Name"])


def alive(instance_id: str) -> bool:
    """Whether the instance exists and is not on its way out."""
    instance = ec2._instances.get(instance_id)
    return instance is not None and state(instance) not in ("shutting-down", "terminated")


def change(instance: Record, name: str) -> None:
    """Put an instance into a state, tell EventBridge and whoever listens."""
    with clock.LOCK:
        if state(instance) == name:
            return
        instance["State"] = {"Code": _CODES[name], "Name": name}
        if name != "running":
            instance["_ssm_managed"] = False
        if name == "terminated":
            _let_go(instance)
        _announce(instance)


def _announce(instance: Record) -> None:
    arn = f"arn:aws:ec2:{region()}:{account()}:instance/{instance['InstanceId']}"
    detail = {"instance-id": instance["InstanceId"], "state": state(instance)}
    events.emit("aws.ec2", "EC2 Instance State-change Notification", detail, [arn])
    for listener in _listeners:
        clock.CLOCK.after_real(0, lambda told=listener: told(instance))  # type: ignore[misc]


def started(instance: Record, seconds: float) -> None:
    """An instance was launched or started: `pending`, then `running`."""
    instance["_stopping"] = False
    _announce(instance)

    def run() -> None:
        if state(instance) == "pending":
            change(instance, "running")

    clock.CLOCK.after(seconds, run)


def terminate(instance: Record, reason: str = "Client.UserInitiatedShutdown") -> None:
    """`shutting-down`, then `terminated`; without effect on an instance that already is."""
    if state(instance) in ("shutting-down", "terminated"):
        return
    instance["_reason"] = {"code": reason, "message": f"{reason}: the instance was terminated"}
    change(instance, "shutting-down")
    hardware.current().switch_off(instance, durations.INSTANCE_SHUTTING_DOWN, lambda: change(instance, "terminated"))


def stop(instance: Record) -> None:
    """`stopping`, then `stopped`."""
    if state(instance) not in ("pending", "running"):
        return
    change(instance, "stopping")

    def rest() -> None:
        if state(instance) == "stopping":
            if not _elastic(instance):
                instance["PublicIpAddress"] = instance["PublicDnsName"] = ""
            change(instance, "stopped")

    hardware.current().switch_off(instance, durations.INSTANCE_STOPPING, rest)


def start(instance: Record) -> None:
    """From `stopped` to `pending` to `running`, with a new automatic public address."""
    if state(instance) != "stopped":
        return
    if instance.get("_auto_public") and not _elastic(instance):
        instance["PublicIpAddress"] = ec2._random_ip("54.")
    instance["State"] = {"Code": _CODES["pending"], "Name": "pending"}
    started(instance, durations.INSTANCE_PENDING)


def _elastic(instance: Record) -> bool:
    return any(one.get("InstanceId") == instance["InstanceId"] for one in ec2._addresses.values())


def _let_go(instance: Record) -> None:
    """What a terminated instance held: addresses, volumes, its interface."""
    instance["_terminated_at"] = time.time()
    instance_id = instance["InstanceId"]
    for address in ec2._addresses.values():
        if address.get("InstanceId") == instance_id:
            address.update(InstanceId=None, AssociationId=None, NetworkInterfaceId=None, PrivateIpAddress=None)
    for volume_id, volume in list(ec2._volumes.items()):
        held = [one for one in volume.get("Attachments", []) if one["InstanceId"] == instance_id]
        if held:
            hardware.current().detached(str(volume_id), instance_id)
        if held and held[0].get("DeleteOnTermination"):
            ec2._volumes.pop(volume_id, None)
        elif held:
            volume.update(Attachments=[], State="available")
    ec2._network_interfaces.pop(instance.get("_interface"), None)
    instance["PublicIpAddress"] = instance["PublicDnsName"] = ""
    instance["BlockDeviceMappings"] = []
