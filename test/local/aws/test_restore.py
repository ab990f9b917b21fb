"""Snapshots and what is restored from them; what is only looked at."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import Cluster
from conftest import ACCOUNT, REGION, Emulator, eventually


@pytest.fixture(scope="module")
def cluster(aws: Emulator) -> Iterator[Cluster]:
    one = Cluster(aws, "saved")
    one.awake()
    yield one
    one.resize("pool-gpu", 0)
    one.resize("seat-0", 0)


def _error(finished: dict[str, Any]) -> str:
    assert finished["Status"] == "Failed"
    return str(json.loads(finished["StandardOutputContent"])["error"])


def _seat(one: Cluster) -> str:
    return str(one.running(role="seat")[0]["InstanceId"])


def test_s3_tells_the_digest_of_a_snapshot(cluster: Cluster, aws: Emulator) -> None:
    taken = cluster.result("snapshot-etcd", Reason="schedule")
    head = aws.client("s3").head_object(
        Bucket=f"drowse-saved-{ACCOUNT}-{REGION}", Key=taken["key"], ChecksumMode="ENABLED"
    )
    assert base64.b64decode(head["ChecksumSHA256"]).hex() == taken["sha256"]
    assert head["ContentLength"] == taken["bytes"]


def test_a_rehearsal_changes_nothing(cluster: Cluster) -> None:
    taken = cluster.result("snapshot-etcd")
    tried = cluster.result("restore-etcd", Key=taken["key"])
    expected = {"ok": True, "key": taken["key"], "revision": taken["revision"], "at": taken["at"], "dryRun": True}
    assert tried == expected
    assert cluster.phases(role="seat") == ["ready"]


def test_data_is_never_overwritten(cluster: Cluster) -> None:
    taken = cluster.result("snapshot-etcd")
    finished = cluster.run("restore-etcd", _seat(cluster), Key=taken["key"], DryRun="false")
    assert _error(finished) == "VolumeNotBlank"


def test_a_set_that_is_not_there_or_not_whole_is_refused(cluster: Cluster, aws: Emulator) -> None:
    missing = cluster.run("restore-etcd", _seat(cluster), Key="snapshots/2025-01-01T00-00-00Z-sleep/etcd.db")
    assert _error(missing) == "SnapshotMissing"
    taken = cluster.result("snapshot-etcd")
    aws.client("s3").put_object(Bucket=f"drowse-saved-{ACCOUNT}-{REGION}", Key=taken["key"], Body=b"{}")
    assert _error(cluster.run("restore-etcd", _seat(cluster), Key=taken["key"])) == "SnapshotBroken"


def test_people_may_look(cluster: Cluster, aws: Emulator) -> None:
    checks = cluster.result("smoke-test")["checks"]
    assert [(check["name"], check["ok"]) for check in checks][:2] == [("etcd-quorum", True), ("nodes-ready", True)]
    node = cluster.running(role="pool")[0]["InstanceId"]
    finished = cluster.run("collect-diagnostics", node)
    kept = json.loads(finished["StandardOutputContent"])
    found = aws.client("s3").get_object(Bucket=f"drowse-saved-{ACCOUNT}-{REGION}", Key=kept["key"])
    assert b"phase ready" in found["Body"].read()


def test_a_lost_volume_is_rebuilt_from_the_bucket(aws: Emulator) -> None:
    one = Cluster(aws, "rebuilt", hook=False)
    one.awake(0)
    taken = one.result("snapshot-etcd")
    one.resize("seat-0", 0)
    eventually(lambda: not one.running(role="seat") and one.volume()["State"] == "available")
    ec2, old = aws.client("ec2"), one.volume()
    ec2.delete_volume(VolumeId=old["VolumeId"])
    tags = [{"ResourceType": "volume", "Tags": [t for t in old["Tags"] if t["Key"] != "drowse:initialised"]}]
    ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=10, TagSpecifications=tags)
    one.resize("seat-0", 1)
    lost = one.wait_phase("failed:state-lost", role="seat")[0]["InstanceId"]
    finished = one.run("restore-etcd", lost, Key=taken["key"], DryRun="false")
    assert finished["Status"] == "Success", finished
    assert one.phases(role="seat") == ["ready"]
    assert one.running(role="seat")[0]["InstanceId"] == lost
    assert one.result("snapshot-etcd")["revision"] > taken["revision"] + 1_000_000_000


def test_why_a_group_ends_an_instance_is_said_in_its_words(cluster: Cluster, aws: Emulator) -> None:
    def causes() -> list[str]:
        answer = aws.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="saved-pool-gpu")
        return [one["Cause"] for one in answer["Activities"] if one["Description"].startswith("Terminating")]

    aws.client("ec2").terminate_instances(InstanceIds=[cluster.running(role="pool")[0]["InstanceId"]])
    eventually(lambda: any("an EC2 health check indicating" in cause for cause in causes()))
    cluster.wait_phase("waiting-for-token", role="pool")
    cluster.mint("gpu")
    cluster.wait_phase("ready", role="pool")
    cluster.resize("pool-gpu", 0)
    eventually(lambda: any("shrinking the capacity from 1 to 0" in cause for cause in causes()))
