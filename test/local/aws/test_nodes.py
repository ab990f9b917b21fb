"""The node agent: seats, pool nodes, and what they leave behind."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest
from cluster import PLATFORM, Cluster, tags_of
from conftest import ACCOUNT, REGION, Emulator, eventually
from cryptography import x509


@pytest.mark.covers("node-agent", "ssm-run-command")
def test_a_whole_life(aws: Emulator) -> None:
    one = Cluster(aws, "life")
    one.awake()
    seat, node = one.running(role="seat")[0], one.running(role="pool")[0]
    assert "10.1.0.10" in [ip["PrivateIpAddress"] for ip in seat["NetworkInterfaces"][0]["PrivateIpAddresses"]]
    assert one.volume()["Attachments"][0]["InstanceId"] == seat["InstanceId"]
    initialised = tags_of(one.volume())["drowse:initialised"]
    one.put_tree()
    installed = one.result("reconcile-platform")
    assert {"apps", "base", "ingress", "monitoring", "network-config"} <= set(installed["ready"])
    asked = one.asked()
    assert "https://kubernetes.github.io/autoscaler" in asked
    assert any(url.startswith("oci://") for url in asked)
    assert one.result("drain-nodes", PerNodeSeconds="30") == {"ok": True, "drained": [node["InstanceId"]], "stuck": []}
    snapshot = one.result("snapshot-etcd", Reason="sleep")
    kept = aws.client("s3").get_object(Bucket=f"drowse-life-{ACCOUNT}-{REGION}", Key=snapshot["key"])
    assert (kept["ContentLength"], kept["ServerSideEncryption"]) == (snapshot["bytes"], "AES256")
    one.resize("pool-gpu", 0)
    eventually(lambda: not one.group("pool-gpu")["Instances"])
    assert one.result("delete-stale-nodes")["nodes"] == [node["InstanceId"]]
    one.resize("seat-0", 0)
    eventually(lambda: not one.group("seat-0")["Instances"])
    assert one.volume()["State"] == "available"
    one.awake()
    # Nothing changed: all of it is there again, and no repository and no registry was asked.
    assert one.result("reconcile-platform")["ready"] == installed["ready"]
    assert one.asked() == asked
    assert one.result("snapshot-etcd")["revision"] > snapshot["revision"]
    assert tags_of(one.volume())["drowse:initialised"] == initialised
    assert one.running(role="seat")[0]["InstanceId"] != seat["InstanceId"]


def test_a_chart_of_another_version_alone_is_asked_for(aws: Emulator) -> None:
    one = Cluster(aws, "raised", hook=False)
    one.awake(1)
    one.put_tree()
    one.result("reconcile-platform")
    before = one.asked()
    charts = (PLATFORM / "base" / "charts.yaml").read_text()
    raised = re.sub(r"(chart: keda\n  version: )\S+", r"\g<1>9.9.9", charts)
    assert raised != charts
    one.put_tree(edited={"base/charts.yaml": raised.encode()})
    one.result("reconcile-platform")
    assert one.asked()[len(before) :] == ["https://kedacore.github.io/charts"]
    # Without what was kept, all are asked again: it is kept there and nowhere else.
    aws.client("s3").delete_object(Bucket=f"drowse-raised-{ACCOUNT}-{REGION}", Key="flux/artifacts.tar.gz")
    one.result("reconcile-platform")
    assert sorted(set(one.asked()[len(before) + 1 :])) == sorted(set(before))


def test_drained_nodes_are_given_back(aws: Emulator) -> None:
    one = Cluster(aws, "given-back", hook=False)
    one.awake(1)
    one.put_tree("minimal")
    one.result("drain-nodes", PerNodeSeconds="30")
    checks = json.loads(one.run("smoke-test")["StandardOutputContent"])["checks"]
    assert [check["ok"] for check in checks if check["name"] == "pod-starts"] == [False]
    ready = one.result("reconcile-platform")["ready"]
    assert "apps" in ready
    assert not {"monitoring", "observability", "ui"} & set(ready)
    one.result("smoke-test")
    one.result("drain-nodes", PerNodeSeconds="30")
    one.result("uncordon-nodes")
    one.result("smoke-test")


def test_phases_are_tags_with_times(aws: Emulator) -> None:
    one = Cluster(aws, "phases")
    seen: list[str] = []
    one.resize("seat-0", 1)

    def look() -> bool:
        for tags in map(tags_of, one.running(role="seat")):
            phase = tags.get("drowse:phase")
            if phase and phase not in seen:
                seen.append(phase)
                time.strptime(tags["drowse:phase-at"], "%Y-%m-%dT%H:%M:%SZ")
        return "ready" in seen

    eventually(look, every=0.002)
    order = ["booting", "runtime", "control-plane", "ready"]
    assert seen == [phase for phase in order if phase in seen]
    shown = next(node for node in aws.control("plugin")["nodes"] if node["cluster"] == "phases")
    assert (shown["group"], shown["role"], shown["seat"], shown["phase"]) == ("phases-seat-0", "seat", "0", "ready")


def test_a_pool_node_waits_for_a_valid_token(aws: Emulator) -> None:
    one = Cluster(aws, "waits")
    ssm = aws.client("ssm")
    one.resize("pool-gpu", 1)
    one.wait_phase("waiting-for-token", role="pool")
    name = f"/drowse/waits/join/gpu/{one.running(role='pool')[0]['InstanceId']}"
    stale = json.dumps({"endpoint": "e", "token": "t", "caHash": "c", "expiresAt": "2020-01-01T00:00:00Z"})
    ssm.put_parameter(Name=name, Value=stale, Type="SecureString")
    # Another instance's token is not its own.
    fresh = stale.replace("2020", "2099")
    ssm.put_parameter(Name="/drowse/waits/join/gpu/i-0123456789abcdef0", Value=fresh, Type="SecureString")
    one.resize("seat-0", 1)
    one.wait_phase("ready", role="seat")
    one.put_tree(below="clusters")
    one.result("install-network")
    assert one.phases(role="pool") == ["waiting-for-token"]
    minted = one.mint("gpu")
    one.wait_phase("ready", role="pool")
    kept = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    value = json.loads(kept["Value"])
    assert (minted["parameters"], minted["expiresAt"], kept["Type"]) == ([name], value["expiresAt"], "SecureString")
    assert value["caHash"].startswith("sha256:")
    assert value["endpoint"] == "api.waits.drowse.internal:6443"


def test_no_node_is_ready_without_a_network(aws: Emulator) -> None:
    one = Cluster(aws, "netless")
    one.resize("seat-0", 1)
    one.wait_phase("ready", role="seat")
    one.resize("pool-gpu", 1)
    one.wait_phase("waiting-for-token", role="pool")
    one.mint("gpu")
    one.wait_phase("joining", role="pool")
    time.sleep(0.2)
    assert one.phases(role="pool") == ["joining"]
    one.put_tree(below="clusters")
    one.result("install-network")
    one.wait_phase("ready", role="pool")


def test_a_dead_seat_is_replaced_with_its_state(aws: Emulator) -> None:
    one = Cluster(aws, "reborn", hook=False)
    one.awake()
    before = one.result("snapshot-etcd")["revision"]
    dead = one.running(role="seat")[0]["InstanceId"]
    aws.client("ec2").terminate_instances(InstanceIds=[dead])
    one_again = eventually(lambda: [s for s in one.wait_phase("ready", role="seat") if s["InstanceId"] != dead])[0]
    assert one.volume()["Attachments"][0]["InstanceId"] == one_again["InstanceId"]
    assert one.result("snapshot-etcd")["revision"] > before
    assert one.result("delete-stale-nodes")["nodes"] == []  # the seat tidied up by itself


def test_a_stopped_node_comes_back_without_a_token(aws: Emulator) -> None:
    one = Cluster(aws, "naps", hook=False)
    one.awake()
    instance = one.running(role="pool")[0]["InstanceId"]
    aws.client("ssm").delete_parameter(Name=f"/drowse/naps/join/gpu/{instance}")
    group = {"AutoScalingGroupName": "naps-pool-gpu"}
    aws.client("autoscaling").suspend_processes(**group, ScalingProcesses=["HealthCheck", "ReplaceUnhealthy"])
    node = one.running(role="pool")[0]["InstanceId"]
    ec2 = aws.client("ec2")
    ec2.stop_instances(InstanceIds=[node])
    eventually(lambda: not one.running(role="pool"))
    eventually(lambda: one.instances(role="pool")[0]["State"]["Name"] == "stopped")
    ec2.start_instances(InstanceIds=[node])
    eventually(lambda: any(n["instanceId"] == node and n["boots"] == 2 for n in aws.control("plugin")["nodes"]))
    one.wait_phase("ready", role="pool")


def test_three_seats_share_a_quorum(aws: Emulator) -> None:
    one = Cluster(aws, "three", seats=3)
    for seat in range(3):
        one.resize(f"seat-{seat}", 1)
    one.wait_phase("ready", 3, role="seat")
    before = one.result("snapshot-etcd")["revision"]
    for seat in range(3):
        one.resize(f"seat-{seat}", 0)
    eventually(lambda: not one.running(role="seat"))
    one.resize("seat-1", 1)
    eventually(lambda: one.phases(seat="1") == ["control-plane"])
    time.sleep(0.2)
    assert one.phases(seat="1") == ["control-plane"], "one of three has no quorum"
    one.resize("seat-2", 1)
    one.wait_phase("ready", 2, role="seat")
    assert one.result("snapshot-etcd")["revision"] > before


def test_a_blank_volume_of_a_known_cluster_is_lost_state(aws: Emulator) -> None:
    one = Cluster(aws, "lost", hook=False)
    one.awake(0)
    one.resize("seat-0", 0)
    eventually(lambda: not one.running(role="seat") and one.volume()["State"] == "available")
    ec2, old = aws.client("ec2"), one.volume()
    tags = [{"ResourceType": "volume", "Tags": [t for t in old["Tags"] if t["Key"] != "drowse:initialised"]}]
    ec2.delete_volume(VolumeId=old["VolumeId"])
    ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=10, TagSpecifications=tags)
    one.resize("seat-0", 1)
    one.wait_phase("failed:state-lost", role="seat")


@pytest.mark.parametrize(("count", "reason"), [(0, "volume-missing"), (2, "volume-ambiguous")])
def test_a_seat_needs_exactly_one_volume(aws: Emulator, count: int, reason: str) -> None:
    one = Cluster(aws, f"volumes{count}", hook=False)
    ec2, old = aws.client("ec2"), one.volume()
    if count:
        tags = [{"ResourceType": "volume", "Tags": old["Tags"]}]
        ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=10, TagSpecifications=tags)
        # One that is gone: nobody can say which of the others is meant.
        aws.client("ssm").put_parameter(Name="/drowse/volumes2/volume/0", Value="vol-1", Type="String")
    else:
        ec2.delete_volume(VolumeId=old["VolumeId"])
    one.resize("seat-0", 1)
    one.wait_phase(f"failed:{reason}", role="seat")


@pytest.mark.covers("ec2-console-output")
def test_a_failing_phase_says_why(aws: Emulator) -> None:
    one = Cluster(aws, "fails", hook=False)
    aws.control("faults", {"failPhase": {"group": "fails-pool-gpu", "reason": "gpu-not-visible"}})
    one.resize("pool-gpu", 1)
    failed = one.wait_phase("failed:gpu-not-visible", role="pool")[0]["InstanceId"]
    bucket = f"drowse-fails-{ACCOUNT}-{REGION}"
    log = f"logs/arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{failed}/node.log"
    kept = aws.client("s3").get_object(Bucket=bucket, Key=log)["Body"].read().decode()
    assert "ends as failed:gpu-not-visible" in kept.splitlines()[-2]
    console = aws.client("ec2").get_console_output(InstanceId=failed)["Output"]
    assert "phase booting" in console


def test_a_node_can_be_kept_from_joining(aws: Emulator) -> None:
    one = Cluster(aws, "never", hook=False)
    aws.control("faults", {"neverJoins": {"group": "never-pool-gpu"}})
    one.awake(0)
    one.resize("pool-gpu", 1)
    one.wait_phase("waiting-for-token", role="pool")
    one.mint("gpu")
    one.wait_phase("joining", role="pool")
    time.sleep(0.2)
    assert one.phases(role="pool") == ["joining"]
    aws.control("faults", method="DELETE")
    one.wait_phase("ready", role="pool")


def test_the_kubeconfig_is_kept_for_the_operator(aws: Emulator) -> None:
    one = Cluster(aws, "operator", hook=False)
    one.awake(0)
    kept = aws.client("ssm").get_parameter(Name="/drowse/operator/kubeconfig", WithDecryption=True)["Parameter"]
    content: dict[str, Any] = json.loads(kept["Value"])
    server, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    assert kept["Type"] == "SecureString"
    assert server["tls-server-name"] == "api.operator.drowse.internal"
    authority = x509.load_pem_x509_certificate(base64.b64decode(server["certificate-authority-data"]))
    certificate = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    certificate.verify_directly_issued_by(authority)
    assert b"PRIVATE KEY" in base64.b64decode(user["client-key-data"])
