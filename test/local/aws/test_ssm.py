"""Systems Manager: documents, Run Command, managed instances."""

from __future__ import annotations

import base64
import json
import time

import pytest
from botocore.exceptions import ClientError
from cluster import Cluster
from conftest import ACCOUNT, REGION, Emulator, eventually
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CONTENT = {
    "schemaVersion": "2.2",
    "description": "one",
    "parameters": {"Pool": {"type": "String", "allowedPattern": "^[a-z]+$"}},
    "mainSteps": [{"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": ["true"]}}],
}


@pytest.fixture(scope="module")
def cluster(aws: Emulator) -> Cluster:
    one = Cluster(aws, "commands", hook=False)
    one.awake()
    return one


@pytest.mark.covers("ssm-documents")
def test_documents_are_records(aws: Emulator) -> None:
    ssm = aws.client("ssm")
    made = ssm.create_document(Name="one", Content=json.dumps(CONTENT), DocumentType="Command")["DocumentDescription"]
    assert (made["LatestVersion"], made["Status"], made["SchemaVersion"]) == ("1", "Active", "2.2")
    assert ssm.describe_document(Name="one")["Document"]["Parameters"] == [{"Name": "Pool", "Type": "String"}]
    with pytest.raises(ClientError, match="DocumentAlreadyExists"):
        ssm.create_document(Name="one", Content=json.dumps(CONTENT), DocumentType="Command")
    with pytest.raises(ClientError, match="DuplicateDocumentContent"):
        ssm.update_document(Name="one", Content=json.dumps(CONTENT), DocumentVersion="$LATEST")
    changed = json.dumps({**CONTENT, "description": "two"})
    assert ssm.update_document(Name="one", Content=changed)["DocumentDescription"]["LatestVersion"] == "2"
    assert json.loads(ssm.get_document(Name="one")["Content"])["description"] == "one"
    ssm.update_document_default_version(Name="one", DocumentVersion="2")
    assert json.loads(ssm.get_document(Name="one")["Content"])["description"] == "two"
    filters = [{"Key": "Name", "Values": ["one"]}]
    assert [each["Name"] for each in ssm.list_documents(Filters=filters)["DocumentIdentifiers"]] == ["one"]
    ssm.delete_document(Name="one")
    with pytest.raises(ClientError, match="InvalidDocument"):
        ssm.describe_document(Name="one")
    with pytest.raises(ClientError, match="InvalidDocumentContent"):
        ssm.create_document(Name="two", Content="{", DocumentType="Command")


@pytest.mark.covers("ssm-run-command")
def test_what_cannot_be_sent(aws: Emulator, cluster: Cluster) -> None:
    ssm = aws.client("ssm")
    seat = cluster.running(role="seat")[0]["InstanceId"]
    with pytest.raises(ClientError, match=r"InvalidDocument\b"):
        ssm.send_command(InstanceIds=[seat], DocumentName="commands-unknown")
    with pytest.raises(ClientError, match="InvalidInstanceId"):
        ssm.send_command(InstanceIds=["i-00000000000000000"], DocumentName="commands-drain-nodes")
    for parameters in ({"Pool": ["GPU; rm"]}, {}, {"Pool": ["gpu"], "More": ["x"]}):
        with pytest.raises(ClientError, match="InvalidParameters"):
            ssm.send_command(InstanceIds=[seat], DocumentName="commands-mint-join-token", Parameters=parameters)
    with pytest.raises(ClientError, match="InvocationDoesNotExist"):
        ssm.get_command_invocation(CommandId="0" * 36, InstanceId=seat)


@pytest.mark.covers("ssm-run-command")
def test_a_command_is_pending_first(aws: Emulator, cluster: Cluster) -> None:
    ssm = aws.client("ssm")
    seat = cluster.running(role="seat")[0]["InstanceId"]
    sent = ssm.send_command(InstanceIds=[seat], DocumentName="commands-snapshot-etcd")["Command"]
    assert sent["Status"] == "Pending"
    seen = set()

    def look() -> bool:
        status = ssm.get_command_invocation(CommandId=sent["CommandId"], InstanceId=seat)["Status"]
        seen.add(status)
        return bool(status == "Success")

    eventually(look, every=0.001)
    assert "InProgress" in seen
    assert ssm.list_commands(CommandId=sent["CommandId"])["Commands"][0]["Status"] == "Success"


def _request(key: ec.EllipticCurvePrivateKey) -> str:
    masters = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters")])
    request = x509.CertificateSigningRequestBuilder().subject_name(masters).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def test_a_certificate_is_signed_as_a_seat_does(cluster: Cluster) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    asked = {"User": "Developers/ann", "Groups": "drowse:viewers,team:a"}
    result = cluster.result("issue-certificate", **asked, Request=_request(key))
    certificate = x509.load_pem_x509_certificate(result["certificate"].encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(result["ca"].encode()))
    assert certificate.public_key() == key.public_key()
    assert {one.value for one in certificate.subject} == {"Developers/ann", "drowse:viewers", "team:a"}
    other = cluster.run("issue-certificate", **asked, Request=_request(ec.generate_private_key(ec.SECP384R1())))
    assert json.loads(other["StandardOutputContent"])["error"] == "BadRequest"


def test_an_unanswered_document_fails_and_says_so(cluster: Cluster) -> None:
    finished = cluster.run("unanswered")
    assert finished["StatusDetails"] == "Failed"
    assert "no answer to the document commands-unanswered" in finished["StandardErrorContent"]


def test_a_command_can_be_made_to_fail(aws: Emulator, cluster: Cluster) -> None:
    aws.control("faults", {"command": {"document": "drain-nodes", "error": "NodesNotListed", "times": 1}})
    finished = cluster.run("drain-nodes")
    assert (finished["Status"], finished["ResponseCode"]) == ("Failed", 1)
    assert json.loads(finished["StandardOutputContent"])["error"] == "NodesNotListed"
    assert cluster.run("drain-nodes")["Status"] == "Success"


def test_output_is_cut_as_by_ssm(aws: Emulator, cluster: Cluster) -> None:
    fault = {"document": "drain-nodes", "error": "Long", "message": "x" * 30_000}
    aws.control("faults", {"command": fault})
    finished = cluster.run("drain-nodes")
    assert len(finished["StandardOutputContent"]) == 24_000
    assert len(finished["StandardErrorContent"]) == 8_000


def test_a_command_needs_a_ready_seat(aws: Emulator) -> None:
    one = Cluster(aws, "unready", hook=False)
    aws.control("faults", {"neverJoins": {"group": "unready-seat-0"}})
    one.resize("seat-0", 1)
    seat = one.wait_phase("control-plane", role="seat")[0]["InstanceId"]
    finished = one.run("snapshot-etcd", seat)
    assert json.loads(finished["StandardOutputContent"])["error"] == "ApiNotReady"


def test_a_dying_instance_takes_its_command_along(aws: Emulator) -> None:
    one = Cluster(aws, "dies", hook=False)
    one.awake(0)
    one.put_tree()
    ssm, seat = aws.client("ssm"), one.running(role="seat")[0]["InstanceId"]
    # Without a node that takes pods it looks for four simulated minutes.
    sent = ssm.send_command(InstanceIds=[seat], DocumentName="dies-reconcile-platform")["Command"]["CommandId"]
    get = {"CommandId": sent, "InstanceId": seat}
    eventually(lambda: ssm.get_command_invocation(**get)["Status"] == "InProgress")
    aws.client("ec2").terminate_instances(InstanceIds=[seat])
    eventually(lambda: ssm.get_command_invocation(**get)["Status"] == "TimedOut")


def test_a_platform_without_nodes_is_not_ready(aws: Emulator) -> None:
    one = Cluster(aws, "bare", hook=False)
    one.awake(0)
    s3, bucket = aws.client("s3"), f"drowse-bare-{ACCOUNT}-{REGION}"
    one.put_tree()
    tree = json.loads(aws.client("ssm").get_parameter(Name="/drowse/bare/platform")["Parameter"]["Value"])["tree"]
    key = f"platform/{tree}.tar.gz"

    def missing(why: str) -> None:
        result = json.loads(one.run("reconcile-platform")["StandardOutputContent"])
        assert result["error"] == "PlatformMissing"
        assert result["message"].endswith(f"({why})")

    s3.put_object(Bucket=bucket, Key=key, Body=b"another")
    missing("DigestMismatch")
    s3.delete_object(Bucket=bucket, Key=key)
    missing("NoSuchKey")
    aws.client("ssm").delete_parameter(Name="/drowse/bare/platform")
    missing("ParameterNotFound")
    one.put_tree()
    result = json.loads(one.run("reconcile-platform")["StandardOutputContent"])
    assert (result["ok"], result["error"]) == (False, "PlatformNotReady")
    assert [each["name"] for each in result["failed"]] == [
        *("apps", "certificates", "monitoring", "scaling", "ui"),
        *("issuers", "observability"),
    ]
    logs = aws.client("s3").list_objects_v2(Bucket=f"drowse-bare-{ACCOUNT}-{REGION}", Prefix="logs/")["Contents"]
    assert [each["Key"].rsplit("/", 1)[1] for each in logs] == ["reconcile-platform.log"]
    degraded = one.result("reconcile-platform", Without="workers")
    assert degraded["leftOut"] == sorted(each["name"] for each in result["failed"])
    assert {"base", "gpu", "ingress", "network", "policies"} <= set(degraded["ready"])


@pytest.mark.covers("ssm-command-invocations")
def test_invocations_are_listed_and_cancelled(aws: Emulator, cluster: Cluster) -> None:
    ssm = aws.client("ssm")
    targets = [{"Key": "tag:drowse:cluster", "Values": ["commands"]}]
    sent = ssm.send_command(Targets=targets, DocumentName="commands-snapshot-etcd")["Command"]
    assert sent["TargetCount"] == 2
    ssm.cancel_command(CommandId=sent["CommandId"])
    time.sleep(0.1)
    listed = ssm.list_command_invocations(CommandId=sent["CommandId"], Details=True)["CommandInvocations"]
    assert {each["Status"] for each in listed} <= {"Cancelled", "Success"}
    assert {each["InstanceId"] for each in listed} == {each["InstanceId"] for each in cluster.running()}
    nobody = [{"Key": "tag:drowse:cluster", "Values": ["nobody"]}]
    answer = ssm.send_command(Targets=nobody, DocumentName="commands-snapshot-etcd")["Command"]
    assert answer["StatusDetails"] == "NoInstancesInTag"


@pytest.mark.covers("ssm-instance-information")
def test_managed_instances_are_filtered(aws: Emulator, cluster: Cluster) -> None:
    ssm = aws.client("ssm")
    seat = cluster.running(role="seat")[0]["InstanceId"]
    for name, value in (("InstanceIds", seat), ("tag:drowse:seat", "0")):
        filters = [{"Key": name, "Values": [value]}, {"Key": "tag:drowse:cluster", "Values": ["commands"]}]
        found = ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
        assert [each["InstanceId"] for each in found] == [seat]
    assert (found[0]["PlatformName"], found[0]["PingStatus"]) == ("Ubuntu", "Online")
    with pytest.raises(ClientError, match="InvalidFilterKey"):
        ssm.describe_instance_information(Filters=[{"Key": "colour", "Values": ["x"]}])


def test_nobody_uses_a_cluster_here(cluster: Cluster) -> None:
    result = cluster.result("measure-activity", WindowMinutes="10", PodLabels="app=notebook")
    assert {key: result[key] for key in ("requests", "gpuPercent", "jobs", "pods")} == {
        "requests": 0,
        "gpuPercent": 0,
        "jobs": 0,
        "pods": 0,
    }


@pytest.mark.covers("ssm-sessions")
def test_nobody_has_a_session(aws: Emulator) -> None:
    ssm = aws.client("ssm")
    assert ssm.describe_sessions(State="Active")["Sessions"] == []
    with pytest.raises(ClientError, match="ValidationException"):
        ssm.describe_sessions(State="Open")
