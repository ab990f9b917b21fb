"""What an instance shows on its console, and dry runs."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable

from .. import hardware
from ..emulator import Response, ec2
from ..query import Parameters, truth, xml
from ..registry import patch


@patch(
    "ec2-console-output",
    "GetConsoleOutput is missing.",
    ("services.ec2._ACTION_MAP", "services.ec2._instances"),
)
def show_consoles() -> None:
    ec2._ACTION_MAP.setdefault("GetConsoleOutput", _console)


def _console(parameters: Parameters) -> Response:
    instance_id = ec2._p(parameters, "InstanceId")
    if instance_id not in ec2._instances:
        missing: Response = ec2._error(
            "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 400
        )
        return missing
    shown = {
        "instanceId": instance_id,
        "timestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "output": base64.b64encode(hardware.current().console(instance_id).encode()).decode(),
    }
    answer: Response = ec2._xml(200, "GetConsoleOutputResponse", xml(shown))
    return answer


@patch(
    "ec2-dry-run",
    "DryRun is ignored: what should only be tried is done.",
    ("services.ec2._ACTION_MAP",),
)
def honour_dry_runs() -> None:
    for action, handler in list(ec2._ACTION_MAP.items()):
        ec2._ACTION_MAP[action] = _trying(handler)


def _trying(inner: Callable[[Parameters], Response]) -> Callable[[Parameters], Response]:
    def handle(parameters: Parameters) -> Response:
        if truth(ec2._p(parameters, "DryRun")):
            message = "Request would have succeeded, but DryRun flag is set."
            answer: Response = ec2._error("DryRunOperation", message, 412)
            return answer
        return inner(parameters)

    return handle
