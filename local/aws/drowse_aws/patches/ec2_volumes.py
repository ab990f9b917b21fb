"""Volumes: attachments that can be refused."""

from __future__ import annotations

from collections.abc import Callable

from .. import clock, hardware, lifecycle
from ..emulator import Record, Response, ec2
from ..query import Parameters
from ..registry import patch

_NEEDS = ("services.ec2._ACTION_MAP", "services.ec2._volumes", "services.ec2._instances")


def _error(code: str, message: str) -> Response:
    answer: Response = ec2._error(code, message, 400)
    return answer


def refusal(volume: Record, instance: Record) -> tuple[str, str] | None:
    """The code and message with which AttachVolume is refused, if it is."""
    if volume["State"] != "available":
        return "VolumeInUse", f"{volume['VolumeId']} is already attached to an instance"
    if lifecycle.state(instance) not in ("running", "stopped", "stopping"):
        return "IncorrectState", f"Instance '{instance['InstanceId']}' is not 'running'."
    zone = instance["Placement"]["AvailabilityZone"]
    if volume["AvailabilityZone"] != zone:
        message = f"The volume '{volume['VolumeId']}' is not in the same availability zone as the instance ({zone})"
        return "InvalidVolume.ZoneMismatch", message
    return None


def attach(volume: Record, instance: Record, device: str) -> None:
    """Attach an available volume."""
    ec2._attach_volume({"VolumeId": [volume["VolumeId"]], "InstanceId": [instance["InstanceId"]], "Device": [device]})


@patch(
    "ec2-volume-attachment",
    "A volume is attached wherever asked: twice, in another zone, to an instance that is not running; and detaching "
    "what is not attached succeeds.",
    _NEEDS,
)
def refuse_attachments() -> None:
    attach_any: Callable[[Parameters], Response] = ec2._ACTION_MAP["AttachVolume"]
    detach_any: Callable[[Parameters], Response] = ec2._ACTION_MAP["DetachVolume"]

    def attach_volume(parameters: Parameters) -> Response:
        volume = ec2._volumes.get(ec2._p(parameters, "VolumeId"))
        instance = ec2._instances.get(ec2._p(parameters, "InstanceId"))
        with clock.LOCK:
            refused = refusal(volume, instance) if volume and instance else None
            if refused:
                return _error(*refused)
            answer = attach_any(parameters)
        if answer[0] == 200 and volume and instance:
            hardware.current().attached(volume, instance)
        return answer

    def detach_volume(parameters: Parameters) -> Response:
        volume = ec2._volumes.get(ec2._p(parameters, "VolumeId"))
        if volume is not None and not volume["Attachments"]:
            return _error("IncorrectState", f"Volume '{volume['VolumeId']}' is in the 'available' state.")
        holders = [one["InstanceId"] for one in volume["Attachments"]] if volume else []
        answer = detach_any(parameters)
        if answer[0] == 200 and volume:
            for holder in holders:
                hardware.current().detached(volume["VolumeId"], holder)
        return answer

    ec2._ACTION_MAP["AttachVolume"] = attach_volume
    ec2._ACTION_MAP["DetachVolume"] = detach_volume
