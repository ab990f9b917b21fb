"""AWS::AutoScaling::AutoScalingGroup in templates."""

from __future__ import annotations

from typing import Any

from .. import durations, lifecycle
from ..emulator import Record, autoscaling, ec2, provisioners
from ..registry import patch
from ..scaling import capacity
from ..templates import Created, wait_until
from .autoscaling_groups import configure

_TYPE = "AWS::AutoScaling::AutoScalingGroup"


@patch(
    "cfn-autoscaling-group",
    "A group in a template ignores its mixed instances policy and hooks and launches nothing; an update without "
    "DesiredCapacity resizes a running group to MinSize; a deletion leaves the instances.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS", "services.cloudformation.provisioners._asg_fields"),
)
def deploy_groups() -> None:
    handler = provisioners._RESOURCE_HANDLERS[_TYPE]
    inner_create, inner_update, inner_delete = handler["create"], handler["update"], handler["delete"]

    def create(logical_id: str, props: Record, stack: str) -> Created:
        created: Created = inner_create(logical_id, props, stack)
        _settle(created[0], props)
        return created

    def update(physical_id: str, old: Record, new: Record, stack: str, *more: Any) -> Created:
        before = autoscaling._asgs.get(physical_id) or {}
        kept = {} if "DesiredCapacity" in new else {"DesiredCapacity": before.get("DesiredCapacity")}
        updated: Created = inner_update(physical_id, old, new, stack, *more)
        _settle(updated[0], new, kept.get("DesiredCapacity"))
        return updated

    def delete(physical_id: str, props: Record) -> None:
        one = autoscaling._asgs.get(physical_id)
        if one is not None:
            ids = [member["InstanceId"] for member in one["Instances"]]
            capacity.empty(one)
            wait_until(lambda: all(_terminated(i) for i in ids), durations.INSTANCE_SHUTTING_DOWN, "terminating")
        inner_delete(physical_id, props)

    handler.update(create=create, update=update, delete=delete)


def _settle(name: str, props: Record, desired: int | None = None) -> None:
    one = autoscaling._asgs[name]
    if desired is not None:
        one["DesiredCapacity"] = min(max(desired, one["MinSize"]), one["MaxSize"])
    configure(one, props)
    capacity.reconcile(one)


def _terminated(instance_id: str) -> bool:
    instance = ec2._instances.get(instance_id)
    return instance is None or lifecycle.state(instance) == "terminated"
