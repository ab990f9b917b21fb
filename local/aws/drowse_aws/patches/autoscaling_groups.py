"""Creating, changing and deleting Auto Scaling groups."""

from __future__ import annotations

from .. import lifecycle
from ..emulator import Record, Response, autoscaling, provisioners
from ..query import Parameters, as_list, flat, nested, truth
from ..registry import patch
from ..scaling import capacity, groups
from ..scaling.serving import RefusedError, error, served, the_group

_NEEDS = ("services.autoscaling._ACTION_MAP", "services.autoscaling._asgs", "services.autoscaling._reconcile_instances")


@patch(
    "autoscaling-instances",
    "A group's instances are names only: nothing is launched, replaced or terminated in EC2.",
    (*_NEEDS, "services.ec2._instances", "services.ec2._resolve_launch_template_data"),
)
def make_instances_real() -> None:
    autoscaling._reconcile_instances = capacity.reconcile
    lifecycle.on_change(capacity.instance_changed)


@patch(
    "autoscaling-create",
    "CreateAutoScalingGroup ignores the mixed instances policy, hooks in the request, and sizes that contradict.",
    _NEEDS,
)
def create_completely() -> None:
    inner = autoscaling._ACTION_MAP["CreateAutoScalingGroup"]

    def create(parameters: Parameters) -> Response:
        asked = nested(parameters)
        least, most = int(asked.get("MinSize", 0)), int(asked.get("MaxSize", 0))
        desired = int(asked.get("DesiredCapacity", least))
        if not least <= desired <= most:
            return error("ValidationError", f"Desired capacity:{desired} must be between {least} and {most}")
        # ministack launches within its own call, before the rest of the request is known.
        launch_later, autoscaling._reconcile_instances = autoscaling._reconcile_instances, lambda one: None
        try:
            response: Response = inner(parameters)
        finally:
            autoscaling._reconcile_instances = launch_later
        one = groups.group(str(asked.get("AutoScalingGroupName")))
        if response[0] == 200 and one is not None:
            configure(one, asked)
            capacity.reconcile(one)
        return response

    autoscaling._ACTION_MAP["CreateAutoScalingGroup"] = create


def configure(one: Record, wanted: Record) -> None:
    """Take over what ministack leaves out of a request or of template properties."""
    policy = wanted.get("MixedInstancesPolicy")
    if policy:
        # What an update leaves out of the policy stays.
        one["_mixed"] = {**(one.get("_mixed") or {}), **policy}
        specification = (policy.get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
        if specification:
            one["LaunchTemplate"] = provisioners._asg_launch_template(specification)
    elif wanted.get("LaunchTemplate"):
        one.pop("_mixed", None)
        one["LaunchTemplate"] = provisioners._asg_launch_template(wanted["LaunchTemplate"])
    if "CapacityRebalance" in wanted:
        one["_capacity_rebalance"] = truth(wanted["CapacityRebalance"])
    if "TargetGroupARNs" in wanted:
        one["_target_groups"] = as_list(wanted["TargetGroupARNs"])
    name = one["AutoScalingGroupName"]
    for hook in as_list(wanted.get("LifecycleHookSpecificationList")):
        key = f"{name}/{hook['LifecycleHookName']}"
        autoscaling._hooks[key] = autoscaling._hook_record(name, hook["LifecycleHookName"], hook)


@patch(
    "autoscaling-update",
    "UpdateAutoScalingGroup and SetDesiredCapacity accept any sizes and ignore the launch template and policy.",
    _NEEDS,
)
def update_carefully() -> None:
    inner = autoscaling._ACTION_MAP["UpdateAutoScalingGroup"]
    sizes = ("MinSize", "DesiredCapacity", "MaxSize")

    def update(asked: Record) -> Response:
        one = the_group(asked)
        least, desired, most = (int(asked.get(name) or one[name]) for name in sizes)
        if "DesiredCapacity" not in asked:
            desired = min(max(desired, least), most)
        _resize(one, least, desired, most)
        configure(one, asked)
        response: Response = inner(flat({key: value for key, value in asked.items() if key not in sizes}))
        return response

    def set_desired(asked: Record) -> Response:
        one = the_group(asked)
        _resize(one, one["MinSize"], int(asked["DesiredCapacity"]), one["MaxSize"])
        capacity.reconcile(one)
        response: Response = autoscaling._xml(200, "SetDesiredCapacityResponse", "")
        return response

    autoscaling._ACTION_MAP["UpdateAutoScalingGroup"] = served(update)
    autoscaling._ACTION_MAP["SetDesiredCapacity"] = served(set_desired)


def _resize(one: Record, least: int, desired: int, most: int) -> None:
    contradiction = capacity.resize(one, least, desired, most)
    if contradiction:
        raise RefusedError("ValidationError", contradiction)


@patch(
    "autoscaling-delete",
    "DeleteAutoScalingGroup succeeds for a group with instances or none of that name, and leaves the instances.",
    _NEEDS,
)
def delete_carefully() -> None:
    inner = autoscaling._ACTION_MAP["DeleteAutoScalingGroup"]

    def delete(asked: Record) -> Response:
        one = the_group(asked)
        if one["Instances"] and not truth(asked.get("ForceDelete")):
            message = (
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group."
            )
            raise RefusedError("ResourceInUse", message)
        capacity.empty(one)
        response: Response = inner(flat(asked))
        return response

    autoscaling._ACTION_MAP["DeleteAutoScalingGroup"] = served(delete)
