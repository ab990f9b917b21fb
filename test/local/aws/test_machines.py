"""Real instances, as far as neither root nor a cache is needed; the whole is proven by `make test-lab`."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import environment, start
from drowse_aws.machines.cache import Cache
from drowse_aws.machines.images import Images
from drowse_aws.machines.pods import Shares, configuration
from drowse_aws.machines.resolver import respond

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def query(name: str, kind: int = 1) -> bytes:
    """A DNS query as resolvers send it."""
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return (
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
    )


def known(name: str) -> str | None:
    return "10.0.0.2" if name == "ec2.us-east-1.amazonaws.com" else None


def test_a_known_name_has_its_address() -> None:
    answer = respond(query("EC2.us-east-1.amazonaws.com"), known)
    assert answer is not None
    assert answer[:2] == b"\x12\x34"
    assert answer[3] & 0xF == 0
    assert answer[6:8] == b"\x00\x01"
    assert answer[-4:] == bytes([10, 0, 0, 2])


def test_a_known_name_has_no_address_of_version_6_and_is_not_unknown() -> None:
    answer = respond(query("ec2.us-east-1.amazonaws.com", kind=28), known)
    assert answer is not None
    assert (answer[3] & 0xF, answer[6:8]) == (0, b"\x00\x00")


def test_any_other_name_does_not_exist() -> None:
    answer = respond(query("packages.example.org"), known)
    assert answer is not None
    assert answer[3] & 0xF == 3


@pytest.mark.parametrize("junk", [b"", b"\x00" * 11, query("a.b")[:-3]])
def test_what_is_no_query_gets_no_answer(junk: bytes) -> None:
    assert respond(junk, known) is None


@pytest.fixture
def images(tmp_path: pathlib.Path) -> Images:
    (tmp_path / "blobs/sha256").mkdir(parents=True)
    (tmp_path / "blobs" / DIGEST.replace(":", "/")).write_bytes(MANIFEST)
    named = ["registry.k8s.io/coredns/coredns:v1", "docker.io/library/busybox:lab"]
    index = [{"digest": DIGEST, "annotations": {"org.opencontainers.image.ref.name": name}} for name in named]
    (tmp_path / "index.json").write_text(json.dumps({"manifests": index}))
    return Images([str(tmp_path)])


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("registry.k8s.io", "/v2/coredns/coredns/manifests/v1"),
        ("registry.k8s.io", f"/v2/coredns/coredns/manifests/{DIGEST}"),
        ("registry.k8s.io", f"/v2/coredns/coredns/blobs/{DIGEST}"),
        ("registry-1.docker.io", "/v2/library/busybox/manifests/lab"),
    ],
)
def test_an_image_is_found_as_its_registry_is_asked(images: Images, host: str, path: str) -> None:
    found = images.find(host, path)
    assert found is not None
    assert (found.content, found.digest) == (MANIFEST, DIGEST)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("quay.io", "/v2/coredns/coredns/manifests/v1"),
        ("registry.k8s.io", "/v2/coredns/coredns/manifests/v2"),
        ("registry.k8s.io", "/v2/coredns/coredns/blobs/sha256:../../index.json"),
        ("registry.k8s.io", "/v2/coredns/coredns/manifests/sha256:../../index.json"),
        ("registry.k8s.io", "/v2/_catalog"),
    ],
)
def test_nothing_else_is_found(images: Images, host: str, path: str) -> None:
    assert images.find(host, path) is None


def test_the_registries_of_images_are_known_by_every_name_that_they_are_asked_by(images: Images) -> None:
    assert images.hosts() == {"registry.k8s.io", "docker.io", "registry-1.docker.io"}


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("my-bucket.s3.us-east-1.amazonaws.com", "my-bucket"),
        # Flux's client asks so.
        ("my-bucket.s3.dualstack.us-east-1.amazonaws.com", "my-bucket"),
        ("my-bucket.s3.amazonaws.com", "my-bucket"),
        ("s3.us-east-1.amazonaws.com", None),
        ("ec2.us-east-1.amazonaws.com", None),
    ],
)
def test_a_bucket_has_a_name_of_its_own(host: str, bucket: str | None) -> None:
    from drowse_aws.machines.front import bucket_of

    assert bucket_of(host) == bucket


def test_machines_share_the_pods_addresses_without_overlap_and_give_them_back() -> None:
    shares = Shares()
    data = '{"kubernetes":{"podCidr":"10.244.0.0/23"}}'
    assert shares.give("i-1", data, []) == "10.244.0.0/24"
    assert shares.give("i-2", data, []) == "10.244.1.0/24"
    assert shares.give("i-1", data, []) == "10.244.0.0/24"
    assert shares.give("i-3", data, ["i-1"]) == "10.244.0.0/24"
    assert shares.give("i-4", "#!/bin/sh", []) == ""
    plugins = json.loads(configuration("10.244.1.0/24"))["plugins"]
    assert plugins[0]["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]


def test_the_cache_is_read_from_its_document(tmp_path: pathlib.Path) -> None:
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives/fingerprint").write_text("ABC\n")
    document = {"authority": "/a", "rootfs": "/r", "archives": f"{tmp_path}/archives", "images": ["/i"]}
    file = tmp_path / "cache.json"
    file.write_text(json.dumps({**document, "baked": {}, "run": "/run"}))
    assert Cache.read(str(file)).fingerprint == "ABC"


def test_a_document_means_the_script_with_its_values_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from drowse_aws.machines import documents
    from drowse_aws.patches import ssm_documents

    step = {
        "action": "aws:runShellScript",
        "inputs": {"timeoutSeconds": "{{ ExecutionTimeout }}", "runCommand": ["a --x '{{ X }}'", "b {{Y}}"]},
    }
    content = {"DefaultVersion": "1", "Versions": [{"Parsed": {"mainSteps": [step]}}]}
    monkeypatch.setattr(ssm_documents, "get", lambda _name: content)
    assert documents.script_of("lab-a", {"ExecutionTimeout": "60", "X": "1"}) == ("a --x '1'\nb {{Y}}", 60.0)
    assert documents.script_of("AWS-RunShellScript", {"commands": "id\nls"}) == ("id\nls", 3600.0)


@pytest.mark.parametrize(
    ("nodes", "lab", "message"),
    [("real", "", "needs DROWSE_LAB"), ("toys", "", "DROWSE_NODES is 'toys'; allowed: played, real")],
)
def test_a_wrong_kind_of_nodes_is_one_clear_line(tmp_path: pathlib.Path, nodes: str, lab: str, message: str) -> None:
    process = start(environment(tmp_path, DROWSE_NODES=nodes, DROWSE_LAB=lab), stderr=-1)
    _, stderr = process.communicate()
    assert process.returncode == 2
    assert message in stderr


class Answers:
    """A metadata service for one instance at 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port

    def call(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    import http.server

    from drowse_aws.machines import metadata as module

    class Found:
        instance: Any = {}

        def within(self, action: Any) -> Any:
            return action()

    monkeypatch.setattr(module, "answer", lambda _instance, path: {"meta-data/mac": "0a:00"}.get(path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), module.handler(lambda _address: Found()))  # type: ignore[arg-type,return-value]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.closing(server.socket):
        yield Answers(server.server_address[1])
        server.shutdown()


SECONDS = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}


def test_metadata_is_given_for_a_token_only(metadata: Answers) -> None:
    assert metadata.call("GET", "/latest/meta-data/mac")[0] == 401
    assert metadata.call("GET", "/latest/meta-data/mac", X_aws_ec2_metadata_token="invented")[0] == 401
    status, token = metadata.call("PUT", "/latest/api/token", **SECONDS)
    assert status == 200
    assert metadata.call("GET", "/latest/meta-data/mac", X_aws_ec2_metadata_token=token) == (200, "0a:00")
    assert metadata.call("GET", "/latest/meta-data/spot/instance-action", X_aws_ec2_metadata_token=token)[0] == 404


@pytest.mark.parametrize("seconds", ["", "0", "21601", "soon"])
def test_a_token_has_an_end(metadata: Answers, seconds: str) -> None:
    given = {"X_aws_ec2_metadata_token_ttl_seconds": seconds} if seconds else {}
    assert metadata.call("PUT", "/latest/api/token", **given)[0] == 400
