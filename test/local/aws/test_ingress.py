"""The ingress: real TLS and HTTP, where and while the node that carries the Elastic IP serves."""

from __future__ import annotations

from typing import Any

import pytest
from cluster import Cluster
from conftest import Emulator, eventually
from functions import function, invoke

#: Asks as probe-app does; the certificate must be one that it trusts.
ASKS = """
const http = require('node:http');
const tls = require('node:tls');
exports.handler = ({ host }) => new Promise((resolve) => {
  const [address, port] = process.env.DROWSE_INGRESS.split(':');
  const createConnection = () => tls.connect({ host: address, port, servername: host });
  http.get({ createConnection, headers: { host } }, (response) => {
    let body = '';
    response.on('data', (part) => (body += part));
    response.on('end', () => resolve({ status: response.statusCode, body }));
  }).on('error', (error) => resolve({ error: error.code }));
});
"""


def ask(aws: Emulator, host: str) -> Any:
    """What somebody outside gets."""
    return invoke(aws, "asks", {"host": host})[0]


@pytest.mark.covers("node-ingress")
def test_the_ingress_answers_while_its_node_serves(aws: Emulator) -> None:
    function(aws, "asks", ASKS)
    one = Cluster(aws, "reach")
    assert "error" in ask(aws, "app.example.org")
    one.awake()
    ec2 = aws.client("ec2")
    node = one.running(role="pool")[0]["InstanceId"]
    filters = [{"Name": "tag:drowse:cluster", "Values": ["reach"]}]
    address = ec2.describe_addresses(Filters=filters)["Addresses"][0]
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=node)
    assert "error" in ask(aws, "app.example.org"), "nothing is installed yet"
    one.put_tree()
    one.result("reconcile-platform")
    for host in ("app.example.org", "other.example.org"):
        assert ask(aws, host) == {"status": 200, "body": f"{host} is served here\n"}
    one.resize("pool-gpu", 0)
    eventually(lambda: "error" in ask(aws, "app.example.org"))
