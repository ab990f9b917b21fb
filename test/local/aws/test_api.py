"""API Gateway's front door: what a route with IAM authorization refuses."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import ACCOUNT, REGION, Emulator
from functions import bundle

ANSWER = """exports.handler = async (event) => ({
  ...event.requestContext.authorizer,
  parameters: event.pathParameters === null ? "null" : typeof event.pathParameters,
});"""


@pytest.fixture(scope="module")
def url(aws: Emulator) -> str:
    """A route that asks for a signature."""
    function = aws.client("lambda").create_function(
        FunctionName="behind-the-door",
        Runtime="nodejs24.x",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Code={"ZipFile": bundle(ANSWER)},
    )
    api = aws.client("apigatewayv2")
    api_id = str(api.create_api(Name="door", ProtocolType="HTTP")["ApiId"])
    integration = api.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function["FunctionArn"],
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    target = f"integrations/{integration}"
    api.create_route(ApiId=api_id, RouteKey="POST /wake", AuthorizationType="AWS_IAM", Target=target)
    api.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    return f"{aws.endpoint}/_aws/execute-api/{api_id}/$default/wake"


def post(url: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, b"", headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def signed(url: str, key: str = ACCOUNT) -> dict[str, str]:
    request = AWSRequest("POST", url, data=b"")
    SigV4Auth(Credentials(key, "test"), "execute-api", REGION).add_auth(request)
    return dict(request.headers)


@pytest.mark.covers("api-signatures")
def test_nobody_passes_without_a_signature(url: str) -> None:
    whole = signed(url)["Authorization"]
    for authorization in (
        None,
        "x",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Basic b3BlcmF0b3I6eA==",
        "AWS4-HMAC-SHA256",
        whole.split(", Signature=")[0],
    ):
        headers = {} if authorization is None else {"Authorization": authorization}
        assert post(url, headers) == (403, {"message": "Forbidden"}), authorization
    assert post(url, signed(url, "AKIANOBODYKNOWSTHIS1")) == (403, {"message": "Forbidden"})


def test_whoever_signed_is_named(url: str) -> None:
    status, told = post(url, signed(url))
    assert status == 200
    assert told["iam"]["userArn"] == f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.covers("api-events")
def test_an_event_without_path_parameters_names_none_as_null(url: str) -> None:
    _, told = post(url, signed(url))
    assert told["parameters"] != "null"
