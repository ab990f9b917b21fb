"""What befalls the running instances of a group at once, as a test asks for it."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from . import clock, durations, events, lifecycle
from .emulator import ec2, responses
from .patches.ec2_instances import set_tags


def interrupt(group: str) -> None:
    """Spot warns the instances, and takes them later."""
    _each(group, _warn)


def hang(group: str, phase: str, minutes: float) -> None:
    """The instances were started so long ago, are at this phase since, and say no more."""
    since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)

    def leave(instance_id: str) -> None:
        ec2._instances[instance_id]["LaunchTime"] = since.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        set_tags(instance_id, {"drowse:phase": phase, "drowse:phase-at": since.strftime("%Y-%m-%dT%H:%M:%SZ")})

    _each(group, leave)


def _each(group: str, befall: Callable[[str], None]) -> None:
    """In whatever account and region the group is."""
    with clock.LOCK:
        for (account, region, instance_id), instance in ec2._instances.all_items():
            tags = {tag["Key"]: tag["Value"] for tag in ec2._tags.get_scoped(account, region, instance_id, [])}
            if tags.get("aws:autoscaling:groupName") == group and lifecycle.state(instance) == "running":
                with responses.request_scope(account, region):
                    befall(instance_id)


def _warn(instance_id: str) -> None:
    arn = f"arn:aws:ec2:{responses.get_region()}:{responses.get_account_id()}:instance/{instance_id}"
    detail = {"instance-id": instance_id, "instance-action": "terminate"}
    events.emit("aws.ec2", "EC2 Spot Instance Interruption Warning", detail, [arn])
    instance = ec2._instances[instance_id]
    clock.CLOCK.after(durations.SPOT_NOTICE, lambda: lifecycle.terminate(instance, "Server.SpotInstanceTermination"))
