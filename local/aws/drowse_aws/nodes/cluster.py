"""What a Kubernetes cluster knows: kept with the state volumes, as etcd's data is, and so outliving every instance."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import secrets
from typing import Any

from .. import lifecycle
from ..emulator import Record, account, ec2, region, ssm
from ..patches.ec2_instances import tags_of

#: Key of a volume's record under which its cluster is kept.
_ON_VOLUME = "_drowse_cluster"
#: A restored revision is beyond everything that a watcher ever saw (restore-etcd.sh).
REVISION_BUMP = 1_000_000_000


@dataclasses.dataclass
class NodeObject:
    """A Kubernetes Node. It stays when its instance is gone, until somebody deletes it."""

    name: str
    role: str
    pool: str
    created: str
    #: Drained for a sleep, as the mark on the Node says; nobody else cordons here.
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
    #: UTC time at which the network plugin was there first; no node is Ready without.
    network_at: str | None = None
    #: What was asked of others, ever, in order: the address of each repository and registry of charts, and each image.
    asked: list[str] = dataclasses.field(default_factory=list)
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

    def remove_stale(self) -> list[str]:
        """Delete the Nodes of instances that are gone; their names."""
        stale = sorted(name for name in self.nodes if not lifecycle.alive(name))
        for name in stale:
            del self.nodes[name]
            self.write()
        return stale

    def snapshot(self) -> dict[str, Any]:
        """Everything, in a form that restore-etcd could read back."""
        return {
            "cluster": self.name,
            "members": sorted(self.members),
            "revision": self.revision,
            "nodes": [dataclasses.asdict(node) for node in self.nodes.values()],
            "platformAt": self.platform_at,
            "networkAt": self.network_at,
            "caHash": self.ca_hash,
        }

    @classmethod
    def restored(cls, snapshot: dict[str, Any], seat: int) -> Cluster:
        """The cluster of a snapshot, with one seat as its only member: the others join it anew."""
        nodes = {one["name"]: NodeObject(**one) for one in snapshot["nodes"]}
        return cls(
            name=str(snapshot["cluster"]),
            members={seat},
            revision=int(snapshot["revision"]) + REVISION_BUMP,
            nodes=nodes,
            platform_at=snapshot["platformAt"],
            network_at=snapshot["networkAt"],
            ca_hash=str(snapshot["caHash"]),
        )


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


def recorded_volume(name: str, seat: str | None) -> str | None:
    """ID of the state volume that a deployment made for a seat; None if that is not on record."""
    found = ssm.resolve_parameter_value(f"/drowse/{name}/volume/{seat}")
    return None if found is None else str(found)


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


def recorded(name: str) -> bool:
    """Whether the conditional record of a first initialisation is there: then a blank volume is a lost one."""
    return ssm.resolve_parameter_value(f"/drowse/{name}/initialized") is not None


def record(name: str, seat: int) -> None:
    """Make that record, once and for all."""
    value = json.dumps({"at": utc_now(), "seat": seat})
    ssm._put_parameter({"Name": f"/drowse/{name}/initialized", "Value": value, "Type": "String", "Overwrite": False})


def write_secret(name: str, value: str) -> None:
    """PutParameter of a SecureString, as a node does it."""
    ssm._put_parameter({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": True})
