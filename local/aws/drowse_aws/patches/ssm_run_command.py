"""Run Command: documents are checked, delivered, and answered by the node agent."""

from __future__ import annotations

import datetime
import time

from .. import clock, durations, hardware
from ..emulator import Record, Response, new_uuid, region, ssm
from ..json_api import ApiError, add_actions
from ..nodes import commands
from ..nodes.played import failed_by_fault
from ..registry import patch
from . import ssm_requests

#: Characters that SSM keeps of a plugin's output (Run Command's documented limits).
STDOUT_KEPT = 24_000
STDERR_KEPT = 8_000
_OPEN = ("Pending", "InProgress")

_NEEDS = (
    "services.ssm._send_command",
    "services.ssm._commands",
    "services.ssm._refresh_command_status",
    "services.ssm._public_command",
    "services.ssm._managed_instance_ids",
    "services.ssm.error_response_json",
)


@patch(
    "ssm-run-command",
    "A command of any document, known or not, succeeds at once with empty output, whatever its parameters.",
    _NEEDS,
)
def run_commands() -> None:
    def send(data: Record) -> Response:
        try:
            answer: Response = ssm.json_response({"Command": ssm._public_command(_send(data))})
            return answer
        except ApiError as error:
            refused: Response = ssm.error_response_json(*error.args, 400)
            return refused

    ssm._send_command = send


@patch("ssm-command-invocations", "ListCommandInvocations and CancelCommand are missing.", _NEEDS)
def list_invocations() -> None:
    add_actions(ssm, {"ListCommandInvocations": _list, "CancelCommand": _cancel})


def _send(data: Record) -> Record:
    name = str(data.get("DocumentName") or "")
    parameters = ssm_requests.checked_parameters(name, data.get("Parameters") or {})
    ids = ssm_requests.targets(data)
    command_id = new_uuid()
    common = {"CommandId": command_id, "DocumentName": name, "Comment": data.get("Comment", "")}
    common["DocumentVersion"] = data.get("DocumentVersion", "$DEFAULT")
    now = time.time()
    command: Record = {
        **common,
        "ExpiresAfter": now + float(data.get("TimeoutSeconds", 3600)),
        "Parameters": data.get("Parameters", {}),
        "InstanceIds": ids if data.get("InstanceIds") else [],
        "Targets": data.get("Targets", []),
        "RequestedDateTime": now,
        "Status": "Pending" if ids else "Failed",
        "StatusDetails": "Pending" if ids else "NoInstancesInTag",
        "OutputS3Region": region(),
        "OutputS3BucketName": data.get("OutputS3BucketName", ""),
        "OutputS3KeyPrefix": data.get("OutputS3KeyPrefix", ""),
        "MaxConcurrency": data.get("MaxConcurrency", "50"),
        "MaxErrors": data.get("MaxErrors", "0"),
        "TargetCount": len(ids),
        "CompletedCount": 0,
        "ErrorCount": 0,
        "DeliveryTimedOutCount": 0,
        "TimeoutSeconds": data.get("TimeoutSeconds", 3600),
        "Invocations": {instance_id: _pending(common, instance_id) for instance_id in ids},
    }
    ssm._commands[command_id] = command
    commands.counted()
    for instance_id, invocation in command["Invocations"].items():
        clock.CLOCK.start(_deliver(command, invocation, instance_id, parameters))
    return command


def _pending(common: Record, instance_id: str) -> Record:
    return {
        **common,
        "InstanceId": instance_id,
        "PluginName": "run",
        "ResponseCode": -1,
        "ExecutionStartDateTime": "",
        "ExecutionElapsedTime": "",
        "ExecutionEndDateTime": "",
        "Status": "Pending",
        "StatusDetails": "Pending",
        "StandardOutputContent": "",
        "StandardOutputUrl": "",
        "StandardErrorContent": "",
        "StandardErrorUrl": "",
    }


def _deliver(command: Record, invocation: Record, instance_id: str, parameters: dict[str, str]) -> clock.Process:
    """The invocation's life: delivered, run, done."""
    yield durations.COMMAND_DELIVERY
    if invocation["Status"] != "Pending":
        return
    began = clock.now()
    invocation.update(Status="InProgress", StatusDetails="InProgress", ExecutionStartDateTime=_iso())
    command.update(Status="InProgress", StatusDetails="InProgress")
    work = _run(str(command["DocumentName"]), instance_id, parameters)
    while True:
        try:
            yield next(work)
        except StopIteration as finished:
            output: hardware.Output = finished.value
            break
        if invocation["Status"] != "InProgress":  # cancelled
            work.close()
            return
        if not ssm._managed_instance_ids() & {instance_id}:
            work.close()
            invocation.update(Status="TimedOut", StatusDetails="ExecutionTimedOut", ExecutionEndDateTime=_iso())
            _roll_up(command)
            return
    status = "Success" if output.code == 0 else "Failed"
    invocation.update(
        StandardOutputContent=output.stdout[:STDOUT_KEPT],
        StandardErrorContent=output.stderr[:STDERR_KEPT],
        ResponseCode=output.code,
        ExecutionEndDateTime=_iso(),
        ExecutionElapsedTime=f"PT{clock.now() - began:.3f}S",
        StatusDetails=status,
    )
    # Last: who sees a terminal state must see the output too.
    invocation["Status"] = status
    _roll_up(command)


def _run(document: str, instance_id: str, parameters: dict[str, str]) -> hardware.Run:
    failed = failed_by_fault(document)
    if failed is not None:
        return failed
    return (yield from hardware.current().run(document, instance_id, parameters))


def _roll_up(command: Record) -> None:
    states = [one["Status"] for one in command["Invocations"].values()]
    command["CompletedCount"] = sum(state not in _OPEN for state in states)
    command["ErrorCount"] = sum(state in ("Failed", "TimedOut") for state in states)
    if command["CompletedCount"] == len(states):
        worst = next((state for state in ("Failed", "TimedOut", "Cancelled") if state in states), "Success")
        command.update(Status=worst, StatusDetails=worst)


def _iso() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _list(data: Record) -> Record:
    found = [
        _listed(invocation, bool(data.get("Details")))
        for command in ssm._commands.values()
        for invocation in command["Invocations"].values()
        if data.get("CommandId") in (None, command["CommandId"])
        and data.get("InstanceId") in (None, invocation["InstanceId"])
    ]
    return {"CommandInvocations": found}


def _listed(invocation: Record, details: bool) -> Record:
    keys = ("CommandId", "InstanceId", "Comment", "DocumentName", "DocumentVersion", "Status", "StatusDetails")
    plugin = {
        "Name": invocation["PluginName"],
        "Status": invocation["Status"],
        "StatusDetails": invocation["StatusDetails"],
        "ResponseCode": invocation["ResponseCode"],
        "Output": invocation["StandardOutputContent"] + invocation["StandardErrorContent"],
    }
    return {**{key: invocation[key] for key in keys}, "CommandPlugins": [plugin] if details else []}


def _cancel(data: Record) -> Record:
    command = ssm._commands.get(str(data.get("CommandId")))
    if command is None:
        raise ApiError("InvalidCommandId", f"no command {data.get('CommandId')}")
    for invocation in command["Invocations"].values():
        if invocation["Status"] in _OPEN:
            invocation.update(Status="Cancelled", StatusDetails="Cancelled", ExecutionEndDateTime=_iso())
    _roll_up(command)
    return {}
