"""Executions: the same name twice, and the time-out of a whole machine."""

from __future__ import annotations

import json
from typing import Any

from .. import clock
from ..emulator import Record, Response, account, region, stepfunctions
from ..registry import patch

_NEEDS = (
    "services.stepfunctions._start_execution",
    "services.stepfunctions._resolve_state_machine_arn",
    "services.stepfunctions._state_machines",
    "services.stepfunctions._executions",
)


def _machine(data: Record) -> Record | None:
    arn = stepfunctions._resolve_state_machine_arn(str(data.get("stateMachineArn") or "").split("#")[0])
    return stepfunctions._state_machines.get(arn) if arn else None


@patch(
    "stepfunctions-idempotent-start",
    "StartExecution with the name and input of a running execution is refused; AWS answers that execution.",
    _NEEDS,
)
def start_once() -> None:
    inner = stepfunctions._start_execution

    def start(data: Record) -> Response:
        machine = _machine(data)
        if machine and data.get("name"):
            arn = f"arn:aws:states:{region()}:{account()}:execution:{machine['name']}:{data['name']}"
            running = stepfunctions._executions.get(arn)
            if running and running["status"] == "RUNNING" and _json(running["input"]) == _json(data.get("input")):
                answer: Response = stepfunctions.json_response({"executionArn": arn, "startDate": running["startDate"]})
                return answer
        response: Response = inner(data)
        return response

    stepfunctions._start_execution = start


@patch(
    "stepfunctions-machine-timeout",
    "A state machine's own TimeoutSeconds has no effect.",
    (*_NEEDS, "services.stepfunctions._add_event", "services.stepfunctions._emit_execution_status_event"),
)
def time_out_executions() -> None:
    inner = stepfunctions._start_execution

    def start(data: Record) -> Response:
        response: Response = inner(data)
        machine = _machine(data)
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
        if response[0] == 200 and seconds:
            arn = json.loads(response[2])["executionArn"]
            clock.CLOCK.after_real(seconds, lambda: _time_out(arn))
        return response

    stepfunctions._start_execution = start


def _time_out(arn: str) -> None:
    execution = stepfunctions._executions.get(arn)
    if execution is None or execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=stepfunctions.now_iso(), error="States.Timeout", cause="")
    details = {"executionTimedOutEventDetails": {"error": "States.Timeout"}}
    stepfunctions._add_event(execution, "ExecutionTimedOut", details)
    stepfunctions._emit_execution_status_event(execution)


def _json(text: Any) -> Any:
    return json.loads(text or "{}")
