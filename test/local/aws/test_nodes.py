"""The node agent: seats, pool nodes, and what they leave behind."""

from __future__ import annotations

import json

from cluster import Cluster, tags_of
from conftest import Emulator, eventually


def test_a_whole_life(aws: Emulator) -> None:
    one = Cluster(aws, "life")
    one.awake()
    seat, node = one.running(role="seat")[0], one.running(role="pool")[0]
    assert "10.1.0.10" in [ip["PrivateIpAddress"] for ip in seat["NetworkInterfaces"][0]["PrivateIpAddresses"]]
    assert one.volume()["Attachments"][0]["InstanceId"] == seat["InstanceId"]
    assert "drowse:initialised" in tags_of(one.volume())
    assert one.result("reconcile-platform")["ready"] == ["apps", "configs", "controllers"]
    assert one.result("drain-nodes", PerNodeSeconds="30") == {"ok": True, "drained": [node["InstanceId"]], "stuck": []}
    snapshot = one.result("snapshot-etcd", Reason="sleep")
    bucket = f"drowse-life-123456789012-{aws.client('s3').meta.region_name}"
    kept = aws.client("s3").get_object(Bucket=bucket, Key=snapshot["key"])
    assert kept["ContentLength"] == snapshot["bytes"]
    one.resize("pool-gpu", 0)
    eventually(lambda: not one.group("pool-gpu")["Instances"])
    assert one.result("delete-stale-nodes")["nodes"] == [node["InstanceId"]]
    one.resize("seat-0", 0)
    eventually(lambda: not one.group("seat-0")["Instances"])
    assert one.volume()["State"] == "available"
    one.awake()
    again = one.result("snapshot-etcd")
    assert again["revision"] > snapshot["revision"]
    value = aws.client("ssm").get_parameter(Name="/drowse/life/join/gpu", WithDecryption=True)["Parameter"]["Value"]
    assert set(json.loads(value)) == {"endpoint", "token", "caHash", "expiresAt"}
