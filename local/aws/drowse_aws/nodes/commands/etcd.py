"""snapshot-etcd."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from typing import Any

from ... import durations
from ...emulator import s3
from .. import cluster
from . import Command, CommandFailedError, answers


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
    }
    sealed = f"authorities {state.ca_hash}".encode()
    bucket = cluster.bucket(state.name)
    for name, content in (("etcd.db", body), ("authorities.age", sealed), ("manifest.json", _json(manifest))):
        _store(bucket, f"{folder}/{name}", content)
    return {"key": f"{folder}/etcd.db", "bytes": len(body), "sha256": digest, "revision": state.revision, "at": at}


def _store(bucket: str, key: str, content: bytes) -> None:
    headers = {"content-type": "application/octet-stream", "x-amz-server-side-encryption": "AES256"}
    status = s3._put_object(bucket, key, content, headers)[0]
    if status != 200:
        raise CommandFailedError("SnapshotNotStored", f"the bucket {bucket} does not take {key} ({status})")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
