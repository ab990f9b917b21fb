"""What a Kubernetes cluster knows: kept with the state volumes, as etcd's data is, and so outliving every instance."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import secrets
from typing import Any

from ..emulator import Record, account, ec2, region, s3
from ..patches.ec2_instances import tags_of

#: Key of a volume's record under which its cluster is kept.
_ON_VOLUME = "_drowse_cluster"


@dataclasses.dataclass
class NodeObject:
    """A Kubernetes Node. It stays when its instance is gone, until somebody deletes it."""

    name: str
    role: str
    pool: str
    created: str
    cordoned: bool = False


@dataclasses.dataclass
class Cluster:
    """The state in etcd, as far as anything here reads it."""

    name: str
    #: Seats that are members of etcd.
    members: set[int]
    revision: int = 1
    nodes: dict[str, NodeObject] = dataclasses.field(default_factory=dict)
    #: UTC time of the last reconciliation that ended well; None before the first.
    platform_at: str | None = None
    ca_hash: str = dataclasses.field(default_factory=lambda: hashlib.sha256(secrets.token_bytes(32)).hexdigest())

    @property
    def quorum(self) -> int:
        """How many members must be up."""
        return len(self.members) // 2 + 1

    def write(self, times: int = 1) -> None:
        """Something was written: etcd's revision goes up."""
        self.revision += times

    def register(self, name: str, role: str, pool: str) -> None:
        """A kubelet registers (again): its Node exists and takes pods."""
        known = self.nodes.get(name)
        self.nodes[name] = NodeObject(name, role, pool, known.created if known else utc_now())
        self.write()

    def snapshot(self) -> dict[str, Any]:
        """Everything, in a form that restore-etcd could read back."""
        return {
            "cluster": self.name,
            "members": sorted(self.members),
            "revision": self.revision,
            "nodes": [dataclasses.asdict(node) for node in self.nodes.values()],
            "platformAt": self.platform_at,
            "caHash": self.ca_hash,
        }


def utc_now(ahead: float = 0.0) -> str:
    """UTC in ISO form to the second, so many seconds ahead."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ahead)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def state_volumes(cluster: str, seat: str | None = None) -> list[Record]:
    """The state volumes of a cluster, or of one seat of it."""
    return [
        volume
        for volume_id, volume in ec2._volumes.items()
        if (tags := tags_of(volume_id)).get("drowse:cluster") == cluster
        and "drowse:seat" in tags
        and seat in (None, tags["drowse:seat"])
    ]


def on_volume(volume: Record) -> Cluster | None:
    """The cluster whose data is on the volume; None on a blank one."""
    found: Cluster | None = volume.get(_ON_VOLUME)
    return found


def put_on_volume(volume: Record, cluster: Cluster) -> None:
    """From now on the volume holds a member's data of this cluster."""
    volume[_ON_VOLUME] = cluster


def existing(name: str) -> Cluster | None:
    """The cluster of that name, if any volume that still exists holds its data."""
    for volume in state_volumes(name):
        found = on_volume(volume)
        if found is not None:
            return found
    return None


def bucket(name: str) -> str:
    """The name of the cluster's bucket."""
    return f"drowse-{name}-{account()}-{region()}"


def has_snapshots(name: str) -> bool:
    """Whether the cluster's bucket holds a snapshot: then it existed, whatever became of its volumes."""
    kept = s3._buckets.get(bucket(name)) or {}
    return any(str(key).startswith("snapshots/") for key in kept.get("objects", {}))
