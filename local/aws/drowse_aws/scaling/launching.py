"""Launching a member: which type, market and zone, and what becomes of a launch that fails."""

from __future__ import annotations

from typing import NamedTuple

from .. import faults
from ..emulator import Record, ec2
from ..patches.ec2_instances import Launch, launch, tag_list, template_data
from . import groups


class Choice(NamedTuple):
    """One way to launch: type and market."""

    instance_type: str
    market: str


#: How AWS words each error in the activity's StatusMessage.
_MESSAGES = {
    "InsufficientInstanceCapacity": (
        "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our "
        "system will be working on provisioning additional capacity. Launching EC2 instance failed."
    ),
    "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded. Launching EC2 instance failed.",
    "VcpuLimitExceeded": (
        "You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the "
        "specified instance type belongs to. Launching EC2 instance failed."
    ),
}
_NO_SPOT = (
    "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available that matches "
    "your request. Launching EC2 instance failed."
)


def choices(one: Record) -> list[Choice]:
    """The ways to launch the next member, in the order of the mixed instances policy."""
    policy = one.get("_mixed") or {}
    template = policy.get("LaunchTemplate") or {}
    overrides = [str(o["InstanceType"]) for o in template.get("Overrides") or [] if o.get("InstanceType")]
    data = template_data(one.get("LaunchTemplate") or {})
    market = ((data.get("InstanceMarketOptions") or {}).get("MarketType")) or "on-demand"
    if policy:
        distribution = policy.get("InstancesDistribution") or {}
        base = int(distribution.get("OnDemandBaseCapacity") or 0)
        share = distribution.get("OnDemandPercentageAboveBaseCapacity")
        above = len(groups.counted(one)) - base
        on_demand = above < 0 or above * (100 - int(100 if share in (None, "") else share)) < 0
        market = "on-demand" if on_demand or int(100 if share in (None, "") else share) == 100 else "spot"
    return [Choice(name, market) for name in overrides or [str(data.get("InstanceType") or "t3.micro")]]


def add(one: Record) -> bool:
    """Launch one more member; False when every choice failed."""
    subnet_id = _subnet(one)
    zone = str(ec2._subnets.get(subnet_id, {}).get("AvailabilityZone", ""))
    description = "Launching a new EC2 instance"
    activity = groups.open_activity(
        one,
        description,
        f"an instance was started in response to a difference between desired and actual capacity, "
        f"increasing the capacity from {len(groups.counted(one))} to {len(groups.counted(one)) + 1}.",
    )
    name = one["AutoScalingGroupName"]
    for choice in choices(one):
        error = faults.FAULTS.capacity(name, choice.instance_type, choice.market)
        if error is None:
            _launched(one, choice, subnet_id, activity)
            return True
        spot = error == "InsufficientInstanceCapacity" and choice.market == "spot"
        message = _NO_SPOT if spot else _MESSAGES.get(error, f"{error}. Launching EC2 instance failed.")
        activity["StatusMessage"] = message.format(type=choice.instance_type, zone=zone)
    activity["Description"] = f"{description}.  Status Reason: {activity['StatusMessage']}"
    groups.close_activity(activity, "Failed", activity["StatusMessage"])
    groups.event(one, "EC2 Instance Launch Unsuccessful", "", activity)
    return False


def _subnet(one: Record) -> str:
    """The subnet with the fewest members: Auto Scaling balances zones."""
    subnets = [each for each in str(one.get("VPCZoneIdentifier") or "").split(",") if each]
    if not subnets:
        return str(ec2._DEFAULT_SUBNET_ID)
    held = [ec2._instances.get(member["InstanceId"], {}).get("SubnetId") for member in groups.counted(one)]
    return min(subnets, key=held.count)


def _launched(one: Record, choice: Choice, subnet_id: str, activity: Record) -> None:
    reference = one.get("LaunchTemplate") or {}
    data = {**template_data(reference), "InstanceType": choice.instance_type}
    name = one["AutoScalingGroupName"]
    tags = {**groups.tags(one, propagated=True), "aws:autoscaling:groupName": name}
    instance = launch(Launch(data, subnet_id, market=choice.market, tags=tag_list(tags)))[0]
    activity["Description"] = f"Launching a new EC2 instance: {instance['InstanceId']}"
    activity["StatusMessage"] = None
    activity["_instance"] = instance["InstanceId"]
    one["Instances"].append(
        {
            "InstanceId": instance["InstanceId"],
            "InstanceType": choice.instance_type,
            "LifecycleState": "Pending",
            "HealthStatus": "Healthy",
            "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
            "ProtectedFromScaleIn": bool(one.get("NewInstancesProtectedFromScaleIn")),
            "LaunchTemplate": reference,
            "LaunchConfigurationName": "",
            "_activity": activity,
        }
    )
