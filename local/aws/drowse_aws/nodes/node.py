"""One played instance: what the node scripts know about it and do to it."""

from __future__ import annotations

import base64
import contextvars
import re
from typing import Any

from .. import clock, faults, lifecycle
from ..emulator import Record, account, ec2, region, s3
from ..patches.ec2_instances import set_tags, tags_of
from ..scaling import groups
from .cluster import Cluster, bucket, utc_now

_FIXED_IP_IN_USER_DATA = re.compile(r'"?fixed_?-?ip"?\s*[:=]\s*"?(\d+\.\d+\.\d+\.\d+)', re.IGNORECASE)
#: journal_tail in userdata/lib/node.sh.
_LINES_KEPT = 400


class NodeFailedError(Exception):
    """The node scripts gave up; the message is the reason in the phase ``failed:<reason>``."""


class Node:
    """An instance of a drowse group, from its first start to its end; a restart goes on with the same object."""

    def __init__(self, instance: Record) -> None:
        self.instance = instance
        tags = tags_of(self.instance_id)
        self.cluster_name = tags["drowse:cluster"]
        self.role = tags["drowse:role"]
        self.seat = tags.get("drowse:seat", "")
        self.pool = tags.get("drowse:pool", "")
        self.ingress = tags.get("drowse:ingress") == "true"
        #: Account and region, for whoever looks at it from elsewhere.
        self.context = contextvars.copy_context()
        self.group = tags.get("aws:autoscaling:groupName", "")
        #: Counts starts, so that what an earlier start set going notices that it is over.
        self.boots = 0
        #: The kubelet has credentials of its own on the root disk: it needs no token any more.
        self.joined = False
        #: What it wrote to its journal, as far as anything here writes: phases and failures.
        self.log: list[str] = []
        #: A seat's own etcd member is up.
        self.etcd_up = False
        #: A seat's cluster once its volume is attached; a pool node's once it has joined.
        self.cluster: Cluster | None = None

    @property
    def instance_id(self) -> str:
        return str(self.instance["InstanceId"])

    @property
    def phase(self) -> str:
        return tags_of(self.instance_id).get("drowse:phase", "")

    @property
    def running(self) -> bool:
        return lifecycle.state(self.instance) == "running"

    @property
    def ready(self) -> bool:
        return self.running and self.phase == "ready"

    def enter(self, phase: str) -> None:
        """Report a phase. Raises NodeFailedError when a fault says that this node fails in it."""
        reason = faults.FAULTS.fail_phase(self.group, phase)
        if reason is not None:
            raise NodeFailedError(reason)
        self.report(phase)

    def report(self, phase: str) -> None:
        """Write phase and time as tags, as a node does with its own role."""
        self.log.append(f"{utc_now()} drowse-node: phase {phase}")
        set_tags(self.instance_id, {"drowse:phase": phase, "drowse:phase-at": utc_now()})

    def addresses(self) -> list[str]:
        """Its private addresses, the primary first."""
        interface = ec2._network_interfaces.get(self.instance.get("_interface")) or {}
        return [str(self.instance["PrivateIpAddress"]), *interface.get("_secondary", [])]

    def fixed_ip(self) -> str | None:
        """The seat's fixed address: a tag of the instance or its group, its user data, or the subnet's reservation."""
        group = groups.group(self.group)
        tags = {**(groups.tags(group) if group else {}), **tags_of(self.instance_id)}
        if tags.get("drowse:fixed-ip"):
            return tags["drowse:fixed-ip"]
        found = _FIXED_IP_IN_USER_DATA.search(_decoded(str(self.instance.get("UserData") or "")))
        if found:
            return found.group(1)
        single = [
            str(one["Cidr"]).removesuffix("/32")
            for one in lifecycle.reservations().values()
            if one["SubnetId"] == self.instance["SubnetId"] and str(one["Cidr"]).endswith("/32")
        ]
        return single[0] if len(single) == 1 else None

    def described(self) -> dict[str, Any]:
        """For GET /_drowse/plugin."""
        return {
            "instanceId": self.instance_id,
            "cluster": self.cluster_name,
            "group": self.group,
            "role": self.role,
            "seat": self.seat or None,
            "pool": self.pool or None,
            "state": lifecycle.state(self.instance),
            "phase": self.phase,
            "phaseAt": tags_of(self.instance_id).get("drowse:phase-at", ""),
            "boots": self.boots,
            "addresses": self.addresses(),
        }

    def lives(self, process: clock.Process) -> clock.Process:
        """The process, for as long as the instance runs without a restart; a failure becomes the phase."""
        boot = self.boots
        try:
            for seconds in process:
                yield seconds
                if not self.running or self.boots != boot:
                    return
        except NodeFailedError as failed:
            self.log.append(f"{utc_now()} drowse-node: ends as failed:{failed}")
            self.report(f"failed:{failed}")
            self.keep_log("node", self.log)

    def keep_log(self, name: str, lines: list[str]) -> None:
        """Put a log's end into the cluster's bucket, as scripts do when they fail; without a bucket there is none."""
        body = "".join(f"{line}\n" for line in lines[-_LINES_KEPT:]).encode()
        headers = {"content-type": "text/plain; charset=utf-8"}
        s3._put_object(bucket(self.cluster_name), log_key(self.instance_id, f"{name}.log"), body, headers)


def log_key(instance_id: str, name: str) -> str:
    """Where an instance's logs are in the bucket: below its ARN, the only place where its role may write."""
    return f"logs/arn:aws:ec2:{region()}:{account()}:instance/{instance_id}/{name}"


def _decoded(user_data: str) -> str:
    try:
        return base64.b64decode(user_data, validate=True).decode("utf-8", errors="replace")
    except ValueError:
        return user_data
