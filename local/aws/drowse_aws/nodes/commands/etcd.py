"""snapshot-etcd and restore-etcd."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Generator
from typing import Any

from ... import durations
from ...emulator import Record, s3
from .. import agent, cluster, seat
from ..node import NodeFailedError
from .command import Command, CommandFailedError, answers


@answers("snapshot-etcd")
def snapshot_etcd(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Put a snapshot with the sealed authorities and a manifest into the bucket; the manifest last."""
    reason = command.parameters.get("Reason", "manual")
    yield durations.SNAPSHOT
    at = cluster.utc_now()
    state = command.cluster
    body = json.dumps(state.snapshot(), sort_keys=True).encode()
    digest = hashlib.sha256(body).hexdigest()
    folder = f"snapshots/{at.replace(':', '-')}-{reason}"
    manifest = {
        "schema": 1,
        "cluster": state.name,
        "at": at,
        "reason": reason,
        "sha256": digest,
        "bytes": len(body),
        "revision": state.revision,
        "kubernetes": "1.36.2",
        "etcd": "3.6.8",
    }
    sealed = f"authorities {state.ca_hash}".encode()
    bucket = cluster.bucket(state.name)
    for name, content in (("etcd.db", body), ("authorities.age", sealed), ("manifest.json", _json(manifest))):
        _store(bucket, f"{folder}/{name}", content)
    return {"key": f"{folder}/etcd.db", "bytes": len(body), "sha256": digest, "revision": state.revision, "at": at}


@answers("restore-etcd", needs_api=False)
def restore_etcd(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Check a snapshot set; unless it is a dry run, put it on the seat's blank volume and start the seat."""
    node, key = command.node, command.parameters.get("Key", "")
    dry = command.parameters.get("DryRun", "true") == "true"
    yield durations.FETCH_SNAPSHOT
    manifest, body = _fetch_set(cluster.bucket(node.cluster_name), key)
    if manifest["cluster"] != node.cluster_name:
        raise CommandFailedError("SnapshotForeign", f"the snapshot is of the cluster {manifest['cluster']}")
    if hashlib.sha256(body).hexdigest() != manifest["sha256"]:
        raise CommandFailedError("SnapshotBroken", "the snapshot does not have its digest")
    if not dry:
        volume = _blank_volume(command)
        cluster.put_on_volume(volume, cluster.Cluster.restored(json.loads(body), int(node.seat or 0)))
        try:
            yield from seat.boot(node)
        except NodeFailedError as failed:
            node.report(f"failed:{failed}")
            raise CommandFailedError("SeatNotReady", "the seat does not come up on the restored data") from failed
    return {"key": key, "revision": manifest["revision"], "at": manifest["at"], "dryRun": dry}


def _fetch_set(bucket: str, key: str) -> tuple[Record, bytes]:
    folder = key.removesuffix("/etcd.db")
    content = {}
    for name in ("manifest.json", "etcd.db", "authorities.age"):
        found = s3._get_object_data(bucket, f"{folder}/{name}")
        if found is None:
            raise CommandFailedError("SnapshotMissing", f"the bucket has no {folder}/{name} (NoSuchKey)")
        content[name] = bytes(found)
    return json.loads(content["manifest.json"]), content["etcd.db"]


def _blank_volume(command: Command) -> Record:
    node = command.node
    held = [
        volume
        for volume in cluster.state_volumes(node.cluster_name, node.seat)
        if [one["InstanceId"] for one in volume["Attachments"]] == [node.instance_id]
    ]
    if not held:
        raise CommandFailedError("VolumeNotMounted", "the state volume is not mounted")
    if cluster.on_volume(held[0]) is not None:
        raise CommandFailedError("VolumeNotBlank", "the volume has etcd data; a restore never overwrites any")
    if agent.api_ready(node.cluster_name):
        raise CommandFailedError("QuorumExists", "the other seats have a quorum: this seat joins by itself")
    return held[0]


def _store(bucket: str, key: str, content: bytes) -> None:
    headers = {
        "content-type": "application/octet-stream",
        "x-amz-server-side-encryption": "AES256",
        # As the script does: S3 compares, keeps it, and tells it to whoever asks.
        "x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
    }
    status = s3._put_object(bucket, key, content, headers)[0]
    if status != 200:
        raise CommandFailedError("SnapshotNotStored", f"the bucket {bucket} does not take {key} ({status})")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
