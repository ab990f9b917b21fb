"""The control endpoint."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from conftest import ACCOUNT, REGION, Emulator


def refused(aws: Emulator, path: str, body: Any = None, method: str | None = None) -> tuple[int, str]:
    """Status and error of a control call that fails."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.control(path, body, method)
    return caught.value.code, json.load(caught.value)["error"]


def test_the_plugin_describes_itself(aws: Emulator) -> None:
    plugin = aws.control("plugin")
    assert plugin["ministack"] == "1.5.33"
    assert {"name", "worksAround"} == set(plugin["patches"][0])
    assert {"type", "reason"} == set(plugin["stubs"][0])
    assert isinstance(plugin["commands"], int)


@pytest.mark.covers("record-calls")
def test_calls_are_recorded(aws: Emulator) -> None:
    aws.control("calls", method="DELETE")
    aws.client("ec2").describe_vpcs()
    aws.client("ssm").describe_parameters()
    aws.client("s3").list_buckets()
    calls = aws.control("calls")["calls"]
    assert [call["action"] for call in calls] == ["ec2:DescribeVpcs", "ssm:DescribeParameters", "s3:ListAllMyBuckets"]
    assert {(call["region"], call["accessKey"], call["status"]) for call in calls} == {(REGION, ACCOUNT, 200)}
    assert calls[0]["principal"].startswith(f"arn:aws:iam::{ACCOUNT}:")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "a fault is a JSON object"),
        ([1], "a fault is a JSON object"),
        ({"earthquake": {}}, "'earthquake' is not a fault"),
        ({"capacity": {"group": "one"}}, "capacity needs error, group"),
        ({"neverJoins": {"group": "one", "more": 1}}, "neverJoins needs group"),
    ],
)
def test_a_wrong_fault_is_explained(aws: Emulator, body: Any, words: str) -> None:
    status, error = refused(aws, "faults", body)
    assert status == 400
    assert words in error
    assert aws.control("faults")["faults"] == []


def test_faults_are_set_listed_and_cleared(aws: Emulator) -> None:
    fault = {"neverJoins": {"group": "one"}}
    assert aws.control("faults", fault)["faults"] == [fault]
    other = {"command": {"document": "drain-nodes", "error": "Boom"}}
    assert aws.control("faults", {"clear": True, **other})["faults"] == [other]
    assert aws.control("faults", method="DELETE")["faults"] == []


def test_other_paths_are_refused(aws: Emulator) -> None:
    assert refused(aws, "nothing")[0] == 404
