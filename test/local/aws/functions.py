"""Lambdas and state machines for tests."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from conftest import ACCOUNT, REGION, Emulator, eventually

ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"


def bundle(code: str) -> bytes:
    """A Lambda's code as a ZIP archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("index.js", code)
    return archive.getvalue()


def function(aws: Emulator, name: str, code: str, timeout: int = 60, **variables: str) -> str:
    """A Node.js Lambda whose handler is ``code``; its ARN."""
    made = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="nodejs24.x",
        Handler="index.handler",
        Role=ROLE,
        Timeout=timeout,
        Environment={"Variables": variables},
        Code={"ZipFile": bundle(code)},
    )
    return str(made["FunctionArn"])


def invoke(aws: Emulator, name: str, event: Any = None) -> tuple[Any, bool]:
    """Invoke a Lambda: what it answered, and whether that is an error."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read()), "FunctionError" in answer


def machine(aws: Emulator, name: str, definition: dict[str, Any]) -> str:
    """A state machine; its ARN."""
    made = aws.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/test"
    )
    return str(made["stateMachineArn"])


def run(aws: Emulator, arn: str, data: Any = None, name: str | None = None) -> str:
    """Start an execution; its ARN."""
    named = {"name": name} if name else {}
    started = aws.client("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(data or {}), **named)
    return str(started["executionArn"])


def ended(aws: Emulator, arn: str, within: float = 120.0) -> dict[str, Any]:
    """An execution, once it is over."""

    def over() -> Any:
        one = aws.client("stepfunctions").describe_execution(executionArn=arn)
        return one if one["status"] != "RUNNING" else None

    execution: dict[str, Any] = eventually(over, within)
    return execution


def history(aws: Emulator, arn: str) -> list[dict[str, Any]]:
    """The events of an execution."""
    events: list[dict[str, Any]] = aws.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return events


def task(arn: str, **more: Any) -> dict[str, Any]:
    """A Task state that invokes a Lambda by ARN and ends."""
    return {"Type": "Task", "Resource": arn, "End": "Next" not in more, **more}


__all__ = ["ACCOUNT", "REGION", "ROLE", "bundle", "ended", "function", "history", "invoke", "machine", "run", "task"]
