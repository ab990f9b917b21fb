"""Spot interruptions, as a test asks for them."""

from __future__ import annotations

from . import clock, durations, events, lifecycle
from .emulator import ec2, responses


def interrupt(group: str) -> None:
    """Warn the running instances of a group, in whatever account and region it is, and take them later."""
    with clock.LOCK:
        for (account, region, instance_id), instance in ec2._instances.all_items():
            tags = {tag["Key"]: tag["Value"] for tag in ec2._tags.get_scoped(account, region, instance_id, [])}
            if tags.get("aws:autoscaling:groupName") == group and lifecycle.state(instance) == "running":
                with responses.request_scope(account, region):
                    _warn(instance_id)


def _warn(instance_id: str) -> None:
    arn = f"arn:aws:ec2:{responses.get_region()}:{responses.get_account_id()}:instance/{instance_id}"
    detail = {"instance-id": instance_id, "instance-action": "terminate"}
    events.emit("aws.ec2", "EC2 Spot Instance Interruption Warning", detail, [arn])
    instance = ec2._instances[instance_id]
    clock.CLOCK.after(durations.SPOT_NOTICE, lambda: lifecycle.terminate(instance, "Server.SpotInstanceTermination"))
