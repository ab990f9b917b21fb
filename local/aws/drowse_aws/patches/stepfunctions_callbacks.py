"""Tasks that wait for a token."""

from __future__ import annotations

import threading
import time
from typing import Any

from .. import clock
from ..emulator import Record, stepfunctions
from ..registry import patch

_waiting = threading.local()


@patch(
    "stepfunctions-callback-errors",
    "A waitForTaskToken task whose Lambda throws waits for its token until the time-out; AWS fails it at once.",
    ("services.stepfunctions._call_lambda", "services.stepfunctions._invoke_with_callback"),
)
def fail_at_once() -> None:
    inner_call = stepfunctions._call_lambda
    inner_wait = stepfunctions._invoke_with_callback

    def call(reference: Any, event: Any) -> Any:
        try:
            return inner_call(reference, event)
        except stepfunctions._ExecutionError as error:
            task = stepfunctions._task_tokens.get(getattr(_waiting, "token", None))
            if task is not None:
                task["error"] = {"Error": error.error, "Cause": error.cause}
                task["event"].set()
            raise

    def wait(resource: str, data: Any, token: str, state: Record) -> Any:
        _waiting.token = token
        try:
            return inner_wait(resource, data, token, state)
        finally:
            _waiting.token = None

    stepfunctions._call_lambda = call
    stepfunctions._invoke_with_callback = wait


@patch(
    "stepfunctions-heartbeats",
    "HeartbeatSeconds of a waitForTaskToken task has no effect.",
    ("services.stepfunctions._invoke_with_callback", "services.stepfunctions._task_tokens"),
)
def watch_heartbeats() -> None:
    inner = stepfunctions._invoke_with_callback

    def wait(resource: str, data: Any, token: str, state: Record) -> Any:
        if state.get("HeartbeatSeconds"):
            _expect_heartbeat(token, float(state["HeartbeatSeconds"]), time.monotonic(), None)
        return inner(resource, data, token, state)

    stepfunctions._invoke_with_callback = wait


def _expect_heartbeat(token: str, seconds: float, since: float, seen: Any) -> None:
    """Look every 0.2 real seconds whether a heartbeat came; fail the task when none did for so long."""

    def look() -> None:
        task = stepfunctions._task_tokens.get(token)
        if task is None:
            return
        beat = task["heartbeat"]
        if beat == seen and time.monotonic() - since > seconds:
            task["error"] = {"Error": "States.HeartbeatTimeout", "Cause": ""}
            task["event"].set()
        else:
            _expect_heartbeat(token, seconds, since if beat == seen else time.monotonic(), beat)

    clock.CLOCK.after_real(0.2, look)
