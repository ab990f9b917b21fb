"""State machines: starts, time-outs, callbacks, branches."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Emulator, eventually
from functions import ended, function, history, machine, run, task

WAIT = {"Type": "Wait", "Seconds": 1000, "End": True}  # 10 real seconds under SFN_WAIT_SCALE=0.01


@pytest.fixture(scope="module")
def boom(aws: Emulator) -> str:
    """A Lambda that always throws ``Boom``."""
    return function(
        aws, "boom", "exports.handler = async () => { throw Object.assign(new Error('x'), {name:'Boom'}); }"
    )


@pytest.fixture(scope="module")
def counter(aws: Emulator) -> str:
    """A Lambda that counts its calls in a table."""
    aws.client("dynamodb").create_table(
        TableName="counts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    code = """
    const http = require('http');
    exports.handler = async (event) => {
      const body = JSON.stringify({TableName: 'counts', Key: {id: {S: event.id}},
        UpdateExpression: 'ADD n :one', ExpressionAttributeValues: {':one': {N: '1'}}});
      const headers = {'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.UpdateItem',
        authorization: 'AWS4-HMAC-SHA256 Credential=' + [process.env.AWS_ACCESS_KEY_ID, '20260101',
          process.env.AWS_REGION, 'dynamodb', 'aws4_request'].join('/')};
      const answer = await fetch(process.env.AWS_ENDPOINT_URL, {method: 'POST', headers, body});
      if (!answer.ok) throw new Error(await answer.text());
      throw Object.assign(new Error('again'), {name: 'NotYet'});
    };"""
    return function(aws, "counter", code)


def count(aws: Emulator, key: str) -> int:
    item = aws.client("dynamodb").get_item(TableName="counts", Key={"id": {"S": key}}).get("Item")
    return int(item["n"]["N"]) if item else 0


@pytest.mark.covers("stepfunctions-idempotent-start")
def test_a_running_execution_is_started_once(aws: Emulator) -> None:
    arn = machine(aws, "once", {"StartAt": "Wait", "States": {"Wait": WAIT}})
    first = run(aws, arn, {"a": 1}, "same")
    assert run(aws, arn, {"a": 1}, "same") == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        run(aws, arn, {"a": 2}, "same")
    aws.client("stepfunctions").stop_execution(executionArn=first)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        run(aws, arn, {"a": 1}, "same")


@pytest.mark.covers("stepfunctions-machine-timeout")
def test_a_machine_times_out(aws: Emulator) -> None:
    arn = machine(aws, "limited", {"StartAt": "Wait", "TimeoutSeconds": 1, "States": {"Wait": WAIT}})
    execution = ended(aws, run(aws, arn))
    assert (execution["status"], execution["error"]) == ("TIMED_OUT", "States.Timeout")


@pytest.mark.covers("stepfunctions-callback-errors")
def test_a_callback_task_fails_with_its_lambda(aws: Emulator, boom: str) -> None:
    resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
    state = {
        "Type": "Task",
        "Resource": resource,
        "Parameters": {"FunctionName": boom, "Payload": {"token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 20,
        "End": True,
    }
    execution = ended(aws, run(aws, machine(aws, "callback", {"StartAt": "Call", "States": {"Call": state}})))
    assert execution["error"] == "Boom"


@pytest.mark.covers("stepfunctions-heartbeats")
def test_a_silent_callback_task_misses_its_heartbeat(aws: Emulator) -> None:
    quiet = function(aws, "quiet", "exports.handler = async () => null;")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": quiet, "Payload": {"token.$": "$$.Task.Token"}},
        "HeartbeatSeconds": 1,
        "TimeoutSeconds": 20,
        "End": True,
    }
    execution = ended(aws, run(aws, machine(aws, "heart", {"StartAt": "Call", "States": {"Call": state}})))
    assert execution["error"] == "States.HeartbeatTimeout"


@pytest.mark.covers("stepfunctions-parallel-failure")
def test_a_parallel_state_fails_with_its_first_branch(aws: Emulator, boom: str) -> None:
    definition = parallel([branch("Wait", WAIT), branch("Boom", task(boom))])
    began = time.monotonic()
    execution = ended(aws, run(aws, machine(aws, "parallel", definition)))
    assert execution["error"] == "Boom"
    assert time.monotonic() - began < 5


def test_siblings_of_a_failed_branch_stop(aws: Emulator, boom: str, counter: str) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 20, "BackoffRate": 1, "MaxAttempts": 100}]
    counting = branch("Count", task(counter, Retry=retry, Parameters={"id": "sibling"}))
    late = {"Wait": {"Type": "Wait", "Seconds": 100, "Next": "Boom"}, "Boom": task(boom)}
    definition = parallel([counting, {"StartAt": "Wait", "States": late}])
    assert ended(aws, run(aws, machine(aws, "siblings", definition)))["error"] == "Boom"
    assert_still(aws, "sibling")


@pytest.mark.covers("stepfunctions-stop")
def test_a_stopped_execution_stops(aws: Emulator, counter: str) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 20, "BackoffRate": 1, "MaxAttempts": 100}]
    state = task(counter, Retry=retry, Parameters={"id": "stopped"})
    arn = run(aws, machine(aws, "stopped", {"StartAt": "Count", "States": {"Count": state}}))
    eventually(lambda: count(aws, "stopped") > 0)
    aws.client("stepfunctions").stop_execution(executionArn=arn, cause="enough")
    assert_still(aws, "stopped")
    assert ended(aws, arn)["status"] == "ABORTED"


@pytest.mark.covers("stepfunctions-branches")
def test_branches_have_a_history(aws: Emulator) -> None:
    done = {"Type": "Pass", "Next": "Done"}
    branches = [{"StartAt": f"Pass{n}", "States": {f"Pass{n}": done, "Done": {"Type": "Succeed"}}} for n in (1, 2)]
    arn = run(aws, machine(aws, "history", parallel(branches)))
    assert ended(aws, arn)["status"] == "SUCCEEDED"
    entered = [e["stateEnteredEventDetails"]["name"] for e in history(aws, arn) if "stateEnteredEventDetails" in e]
    exited = [e["stateExitedEventDetails"]["name"] for e in history(aws, arn) if "stateExitedEventDetails" in e]
    assert Counter(entered) == Counter(exited) == Counter(["Both", "Pass1", "Pass2", "Done", "Done"])


@pytest.mark.covers("stepfunctions-sdk-services")
def test_sdk_integrations_know_auto_scaling(aws: Emulator) -> None:
    resource = "arn:aws:states:::aws-sdk:autoscaling:describeAutoScalingGroups"
    state = {"Type": "Task", "Resource": resource, "Parameters": {}, "End": True}
    execution = ended(aws, run(aws, machine(aws, "sdk", {"StartAt": "Call", "States": {"Call": state}})))
    assert execution["status"] == "SUCCEEDED", execution


def parallel(branches: list[dict[str, Any]]) -> dict[str, Any]:
    return {"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "Branches": branches, "End": True}}}


def branch(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def assert_still(aws: Emulator, key: str) -> None:
    """Nothing counts any more, but for a call that was under way."""
    time.sleep(0.4)
    before = count(aws, key)
    time.sleep(0.8)
    assert count(aws, key) == before
