"""Keeping a group at its desired capacity."""

from __future__ import annotations

from .. import clock, durations, lifecycle
from ..emulator import Record, ec2
from . import groups, holds, launching

#: How Auto Scaling begins to say why it ends an instance.
OUT_OF_SERVICE = "an instance was taken out of service in response to"


def shrinking(one: Record) -> str:
    """How it goes on where the instance is not replaced; called while the instance still counts."""
    count = len(groups.counted(one))
    return f", shrinking the capacity from {count} to {count - 1}"


def reconcile(one: Record) -> None:
    """Launch or terminate until the group has as many members as it should."""
    with clock.LOCK:
        if one.get("_frozen"):
            return
        surplus = len(groups.counted(one)) - one["DesiredCapacity"]
        if surplus > 0 and not groups.suspended(one, "Terminate"):
            for member in _expendable(one)[:surplus]:
                remove(
                    one, member, f"{OUT_OF_SERVICE} a difference between desired and actual capacity{shrinking(one)}"
                )
        while len(groups.counted(one)) < one["DesiredCapacity"] and not groups.suspended(one, "Launch"):
            if not launching.add(one):
                _retry_later(one)
                return
        one["_pause"] = None


def _expendable(one: Record) -> list[Record]:
    """Members that scale-in may take, in the order in which it takes them: not protected, unhealthy and old first."""
    free = [member for member in groups.counted(one) if not member["ProtectedFromScaleIn"]]
    return sorted(free, key=lambda member: member["HealthStatus"] == "Healthy")


def remove(one: Record, member: Record, cause: str, hooked: bool = True) -> Record | None:
    """Take a member out and terminate its instance; the activity, or None when it is already leaving."""
    with clock.LOCK:
        if member["LifecycleState"].startswith("Terminating"):
            return None
        if member.get("_activity") is not None:
            groups.close_activity(member["_activity"], "Cancelled", "The instance was terminated")
        holds.release(member)
        instance_id = member["InstanceId"]
        activity = groups.open_activity(one, f"Terminating EC2 instance: {instance_id}", f"{cause}.")
        member["_leaving"] = activity
        member["LifecycleState"] = "Terminating"

        def then(_: str) -> None:
            member["LifecycleState"] = "Terminating"
            instance = ec2._instances.get(instance_id)
            if instance is None or lifecycle.state(instance) == "terminated":
                gone(one, member)
            else:
                lifecycle.terminate(instance, "Server.ScheduledStop")

        if hooked and lifecycle.alive(instance_id):
            holds.hold(one, member, "TERMINATING", then)
        else:
            then("CONTINUE")
        return activity


def gone(one: Record, member: Record) -> None:
    """A leaving member's instance is terminated: it is no member any more."""
    if member in one["Instances"]:
        one["Instances"].remove(member)
    activity = member.get("_leaving")
    if activity is not None:
        groups.close_activity(activity, "Successful")
        groups.event(one, "EC2 Instance Terminate Successful", member["InstanceId"], activity)


def instance_changed(instance: Record) -> None:
    """Follow the state of instances that are members of groups."""
    with clock.LOCK:
        found = groups.find(instance["InstanceId"])
        if found is None:
            return
        one, member = found
        state = lifecycle.state(instance)
        if state == "running":
            _running(one, member)
        elif state == "terminated" and member["LifecycleState"].startswith("Terminating"):
            gone(one, member)
        elif state in ("stopping", "stopped", "shutting-down", "terminated"):
            _unhealthy(one, member)


def _unhealthy(one: Record, member: Record) -> None:
    """Somebody else stopped or terminated the instance: notice it, and replace it."""
    if member["HealthStatus"] != "Healthy" or member["LifecycleState"].startswith(("Terminating", "Standby")):
        return
    if groups.suspended(one, "HealthCheck"):
        return
    member["HealthStatus"] = "Unhealthy"
    clock.CLOCK.after(durations.GROUP_HEALTH_CHECK, lambda: replace(one, member))


def replace(one: Record, member: Record) -> None:
    """Replace an unhealthy member, unless that is suspended."""
    with clock.LOCK:
        if member not in one["Instances"] or member["HealthStatus"] == "Healthy":
            return
        if not groups.suspended(one, "ReplaceUnhealthy"):
            remove(one, member, f"{OUT_OF_SERVICE} an EC2 health check indicating it has been terminated or stopped")
            reconcile(one)


def resize(one: Record, least: int, desired: int, most: int) -> str | None:
    """Set the three sizes; the message of the ValidationError when they contradict each other."""
    name = one["AutoScalingGroupName"]
    if least > most:
        return f"Max bound, {most}, must be greater than or equal to min bound, {least}"
    if desired > most:
        return f"New SetDesiredCapacity value {desired} is above max value {most} for the AutoScalingGroup {name}."
    if desired < least:
        return f"New SetDesiredCapacity value {desired} is below min value {least} for the AutoScalingGroup {name}."
    one.update(MinSize=least, DesiredCapacity=desired, MaxSize=most)
    return None


def empty(one: Record) -> None:
    """Terminate every member without asking hooks, and launch no more: the group is being deleted."""
    with clock.LOCK:
        one["_frozen"] = True
        if one.get("_retry") is not None:
            one["_retry"].cancel()
        for member in list(one["Instances"]):
            holds.release(member)
            if member["LifecycleState"].startswith("Terminating"):
                instance = ec2._instances.get(member["InstanceId"])
                if instance is not None:
                    lifecycle.terminate(instance)
            else:
                remove(one, member, "the Auto Scaling group is being deleted", hooked=False)


def _running(one: Record, member: Record) -> None:
    """A new member's instance runs: now its launch hooks hold it, or it is in service."""
    if member["LifecycleState"] != "Pending":
        return

    def then(result: str) -> None:
        activity = member["_activity"]
        if result == "CONTINUE":
            member["LifecycleState"] = "InService"
            groups.close_activity(activity, "Successful")
            groups.event(one, "EC2 Instance Launch Successful", member["InstanceId"], activity)
            return
        message = "Instance failed to complete user's Lifecycle Action: Lifecycle Action was abandoned"
        groups.close_activity(activity, "Cancelled", message)
        groups.event(one, "EC2 Instance Launch Unsuccessful", member["InstanceId"], activity)
        remove(one, member, "a launch lifecycle action was abandoned", hooked=False)
        reconcile(one)

    holds.hold(one, member, "LAUNCHING", then)


def _retry_later(one: Record) -> None:
    """Try a failed launch again after a pause that doubles up to a bound."""
    pause = one.get("_pause") or durations.GROUP_LAUNCH_RETRY
    one["_pause"] = min(pause * 2, durations.GROUP_LAUNCH_RETRY_AT_MOST)
    if one.get("_retry") is not None:
        one["_retry"].cancel()

    def again() -> None:
        one["_retry"] = None
        if groups.group(one["AutoScalingGroupName"]) is one:
            reconcile(one)

    one["_retry"] = clock.CLOCK.after(pause, again)
