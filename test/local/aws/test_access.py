"""IAM enforced (DROWSE_AUTH=true): a Lambda may what its role says, and the record of calls names it."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Emulator, environment, ready, start
from functions import bundle

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
#: Signs with node's own crypto, as the SDK would: ministack's worker carries no SDK.
CALL = """
const crypto = require('crypto');
const sha = (d) => crypto.createHash('sha256').update(d).digest('hex');
const hmac = (k, d) => crypto.createHmac('sha256', k).update(d).digest();
exports.handler = async ({service, action, version}) => {
  const variables = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'REGION'];
  const [id, secret, session, region] = variables.map((name) => process.env[`AWS_${name}`]);
  const url = new URL(process.env.AWS_ENDPOINT_URL);
  const body = `Action=${action}&Version=${version}`;
  const date = new Date().toISOString().replace(/[-:]|\\.\\d{3}/g, '');
  const headers = {'content-type': 'application/x-www-form-urlencoded', host: url.host, 'x-amz-date': date};
  if (session) headers['x-amz-security-token'] = session;
  const names = Object.keys(headers).sort();
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const lines = names.map((n) => `${n}:${headers[n]}`);
  const canonical = ['POST', '/', '', ...lines, '', names.join(';'), sha(body)].join('\\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\\n');
  const key = [date.slice(0, 8), region, service, 'aws4_request'].reduce(hmac, 'AWS4' + secret);
  const signature = crypto.createHmac('sha256', key).update(toSign).digest('hex');
  const signed = `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, ${signed}`;
  const answer = await fetch(url, {method: 'POST', headers: {...headers, authorization}, body});
  return {status: answer.status, body: await answer.text()};
};
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that enforces IAM, with a Lambda that may list its instances and groups, and nothing else."""
    folder: pathlib.Path = tmp_path_factory.mktemp("strict")
    process = start(environment(folder, DROWSE_AUTH="true"), stderr=subprocess.DEVNULL)
    aws = Emulator(ready(process)["port"])
    iam = aws.client("iam")
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    actions = ["ec2:DescribeInstances", "autoscaling:DescribeAutoScalingGroups"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    aws.client("lambda").create_function(
        FunctionName="reader", Runtime="nodejs24.x", Handler="index.handler", Role=role, Code={"ZipFile": bundle(CALL)}
    )
    yield aws
    process.terminate()
    process.wait(timeout=5)


def call(aws: Emulator, service: str, action: str, version: str) -> dict[str, Any]:
    payload = json.dumps({"service": service, "action": action, "version": version})
    answer = json.loads(aws.client("lambda").invoke(FunctionName="reader", Payload=payload)["Payload"].read())
    assert "status" in answer, answer
    found: dict[str, Any] = answer
    return found


@pytest.mark.covers("record-calls")
def test_a_role_is_held_to_its_policy(strict: Emulator) -> None:
    strict.control("calls", method="DELETE")
    assert call(strict, "ec2", "DescribeInstances", "2016-11-15")["status"] == 200
    assert call(strict, "autoscaling", "DescribeAutoScalingGroups", "2011-01-01")["status"] == 200
    denied = call(strict, "ec2", "AssignPrivateIpAddresses", "2016-11-15")
    assert denied["status"] == 403
    assert "UnauthorizedOperation" in denied["body"]
    mine = [one for one in strict.control("calls")["calls"] if ":assumed-role/reader/" in one["principal"]]
    assert [(one["action"], one["status"]) for one in mine] == [
        ("ec2:DescribeInstances", 200),
        ("autoscaling:DescribeAutoScalingGroups", 200),
        ("ec2:AssignPrivateIpAddresses", 403),
    ]
