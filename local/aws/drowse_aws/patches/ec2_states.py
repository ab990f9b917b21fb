"""TerminateInstances, StopInstances, StartInstances: states that take their time, and tell others."""

from __future__ import annotations

from collections.abc import Callable

from .. import hardware, lifecycle
from ..emulator import Record, Response, ec2
from ..query import Parameters, xml
from ..registry import patch


@patch(
    "ec2-instance-states",
    "Instances are terminated, stopped and started at once, keep their addresses and volumes when terminated, and "
    "send no state-change events.",
    ("services.ec2._ACTION_MAP", "services.ec2._instances"),
)
def take_time() -> None:
    ec2._ACTION_MAP["TerminateInstances"] = _changing("TerminateInstances", lifecycle.terminate)
    ec2._ACTION_MAP["StopInstances"] = _changing("StopInstances", lifecycle.stop)
    ec2._ACTION_MAP["RebootInstances"] = _reboot
    ec2._ACTION_MAP["StartInstances"] = _changing("StartInstances", lifecycle.start)


def _changing(action: str, change: Callable[[Record], None]) -> Callable[[Parameters], Response]:
    def run(parameters: Parameters) -> Response:
        ids = ec2._parse_member_list(parameters, "InstanceId")
        for instance_id in ids:
            if instance_id not in ec2._instances:
                missing: Response = ec2._error(
                    "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 400
                )
                return missing
        refused = _refused(action, ids)
        if refused is not None:
            return refused
        changes = []
        for instance_id in ids:
            instance = ec2._instances[instance_id]
            before = dict(instance["State"])
            change(instance)
            changes.append({"instanceId": instance_id, "previousState": _xml(before), "currentState": _now(instance)})
        answer: Response = ec2._xml(200, f"{action}Response", f"<instancesSet>{xml(changes, 'item')}</instancesSet>")
        return answer

    return run


def _reboot(parameters: Parameters) -> Response:
    ids = ec2._parse_member_list(parameters, "InstanceId")
    for instance_id in ids:
        if instance_id not in ec2._instances:
            missing: Response = ec2._error(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 400
            )
            return missing
    for instance_id in ids:
        hardware.current().reboot(ec2._instances[instance_id])
    answer: Response = ec2._xml(200, "RebootInstancesResponse", "<return>true</return>")
    return answer


def _refused(action: str, ids: list[str]) -> Response | None:
    for instance_id in ids:
        state = lifecycle.state(ec2._instances[instance_id])
        impossible = {
            "StopInstances": ("shutting-down", "terminated"),
            "StartInstances": ("shutting-down", "terminated", "stopping"),
        }
        if state in impossible.get(action, ()):
            message = f"The instance '{instance_id}' is not in a state from which it can be changed: {state}"
            answer: Response = ec2._error("IncorrectInstanceState", message, 400)
            return answer
    return None


def _xml(state: Record) -> Record:
    return {"code": state["Code"], "name": state["Name"]}


def _now(instance: Record) -> Record:
    return _xml(instance["State"])
