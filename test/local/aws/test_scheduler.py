"""EventBridge Scheduler: what it sends."""

from __future__ import annotations

import datetime
import json

import pytest
from conftest import ACCOUNT, REGION, Emulator, eventually

#: Scheduler looks every ten seconds what is due.
SWEEP = 25.0


@pytest.mark.covers("scheduler-context")
def test_inputs_say_when_they_were_due(aws: Emulator) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="due")["QueueUrl"]
    now = datetime.datetime.now(datetime.timezone.utc)
    aws.client("scheduler").create_schedule(
        Name="due",
        ScheduleExpression=f"at({now.strftime('%Y-%m-%dT%H:%M:%S')})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:due",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x",
            "Input": json.dumps({"at": "<aws.scheduler.scheduled-time>", "execution": "<aws.scheduler.execution-id>"}),
        },
    )
    found = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), within=SWEEP, every=0.5)
    sent = json.loads(found[0]["Body"])
    due = datetime.datetime.strptime(sent["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    assert due.second == 0
    assert abs((due - now).total_seconds()) < 2 * 60
    assert len(sent["execution"]) == 36
