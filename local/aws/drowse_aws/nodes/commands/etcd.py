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
    """Put a snapshot into the cluster's bucket, with its checksum beside it as metadata."""
    reason = command.parameters.get("Reason", "manual")
    yield durations.SNAPSHOT
    at = cluster.utc_now()
    state = command.cluster
    body = json.dumps(state.snapshot(), sort_keys=True).encode()
    digest = hashlib.sha256(body).hexdigest()
    key = f"snapshots/{at.replace(':', '-')}-{state.revision}.db"
    bucket = cluster.bucket(state.name)
    headers = {
        "content-type": "application/octet-stream",
        "x-amz-server-side-encryption": "AES256",
        "x-amz-meta-sha256": digest,
        "x-amz-meta-revision": str(state.revision),
        "x-amz-meta-reason": reason,
    }
    answer = s3._put_object(bucket, key, body, headers)
    if answer[0] != 200:
        raise CommandFailedError("SnapshotUploadFailed", f"s3://{bucket}/{key} could not be written: {answer[0]}")
    return {"key": key, "bytes": len(body), "sha256": digest, "revision": state.revision, "at": at}
