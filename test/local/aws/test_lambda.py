"""Lambdas: errors with their names, a clean environment, the chosen Node.js."""

from __future__ import annotations

import time

import pytest
from conftest import NODE, Emulator
from functions import function, invoke

THROWS = """
class NodeNotReady extends Error { name = 'NodeNotReady'; }
let calls = 0;
exports.handler = async () => { throw new NodeNotReady(`call ${++calls}`); };
"""


@pytest.mark.covers("lambda-error-names")
def test_errors_keep_their_name_and_the_process(aws: Emulator) -> None:
    function(aws, "throws", THROWS)
    body, failed = invoke(aws, "throws")
    assert failed
    assert (body["errorType"], body["errorMessage"]) == ("NodeNotReady", "call 1")
    assert "NodeNotReady" in body["trace"][0]
    assert invoke(aws, "throws")[0]["errorMessage"] == "call 2"


def test_thrown_nothing_is_an_error_too(aws: Emulator) -> None:
    function(aws, "throws-null", "exports.handler = async () => { throw null; };")
    body, failed = invoke(aws, "throws-null")
    assert failed
    assert body["errorType"] == "Error"


@pytest.mark.covers("lambda-environment")
def test_the_environment_is_lambdas_own(aws: Emulator) -> None:
    function(aws, "environment", "exports.handler = async () => process.env;", DROWSE_CLUSTER="one", HOME="/mine")
    variables, _ = invoke(aws, "environment")
    assert variables["DROWSE_CLUSTER"] == "one"
    assert variables["HOME"] == "/mine"
    assert variables["AWS_ENDPOINT_URL"] == aws.endpoint
    assert variables["TZ"] == ":UTC"
    leaked = [name for name in variables if name.startswith(("MINISTACK", "GATEWAY", "DROWSE_SPEEDUP", "SFN_", "LOG_"))]
    assert leaked == []


@pytest.mark.covers("lambda-node-binary")
def test_node_is_the_chosen_one(aws: Emulator) -> None:
    function(aws, "version", "exports.handler = async () => process.execPath;")
    path, _ = invoke(aws, "version")
    assert path == str(NODE.resolve())


@pytest.mark.covers("lambda-log-wait")
def test_a_silent_handler_is_fast(aws: Emulator) -> None:
    function(aws, "silent", "exports.handler = async () => 1;")
    invoke(aws, "silent")
    fastest = min(_seconds(aws) for _ in range(10))
    assert fastest < 0.045


def _seconds(aws: Emulator) -> float:
    began = time.monotonic()
    invoke(aws, "silent")
    return time.monotonic() - began
