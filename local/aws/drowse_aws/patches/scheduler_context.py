"""What EventBridge Scheduler fills into the inputs of its targets."""

from __future__ import annotations

import datetime
from typing import Any

from ..emulator import Record, eventbridge, new_uuid
from ..registry import patch


def _fill(text: str, schedule: Record) -> str:
    """The input with its context attributes in place of their names. Schedules fire to the minute."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    for name, value in {
        "scheduled-time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": new_uuid(),
        "schedule-arn": str(schedule.get("Arn", "")),
        "attempt-number": "1",
    }.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


@patch(
    "scheduler-context",
    "Scheduler sends <aws.scheduler.scheduled-time> and the like as they stand.",
    ("services.eventbridge._invoke_target", "services.scheduler._tick_schedules"),
)
def fill_context() -> None:
    inner = eventbridge._invoke_target

    def invoke(target: Record, event: Record, rule: Record, *more: Any) -> None:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": _fill(target["Input"], rule)}
        inner(target, event, rule, *more)

    eventbridge._invoke_target = invoke
