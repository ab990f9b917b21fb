"""The agent itself: it follows instances of drowse's groups and lets each live its life."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from .. import clock, durations, faults, lifecycle
from ..emulator import Record
from ..patches.ec2_instances import tags_of
from . import cluster
from .node import Node

_T = TypeVar("_T")
#: A process that also returns something.
Waits = Generator[float, None, _T]

Boot = Callable[[Node], clock.Process]
_boots: dict[str, Boot] = {}


def boots(role: str) -> Callable[[Boot], Boot]:
    """Register the decorated function as what a node of the role does once its system is up."""

    def register(function: Boot) -> Boot:
        _boots[role] = function
        return function

    return register


class Agent:
    """All played instances, of every account and region."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def nodes(self) -> list[Node]:
        """Every instance played so far, gone ones too while EC2 still shows them."""
        return list(self._nodes.values())

    def node(self, instance_id: str) -> Node | None:
        """The node that plays an instance."""
        return self._nodes.get(instance_id)

    def of(self, cluster_name: str, role: str | None = None) -> list[Node]:
        """The nodes of a cluster."""
        return [n for n in self.nodes() if n.cluster_name == cluster_name and role in (None, n.role)]

    def instance_changed(self, instance: Record) -> None:
        """Begin a life when an instance runs; nobody needs to end one, it notices."""
        with clock.LOCK:
            instance_id = str(instance["InstanceId"])
            state = lifecycle.state(instance)
            if state == "running":
                tags = tags_of(instance_id)
                if "drowse:cluster" in tags and tags.get("drowse:role") in ("seat", "pool"):
                    self._boot(self._nodes.setdefault(instance_id, Node(instance)))
                else:
                    instance["_ssm_managed"] = True
            elif instance_id in self._nodes:
                self._nodes[instance_id].etcd_up = False

    def _boot(self, node: Node) -> None:
        node.boots += 1
        node.etcd_up = False
        clock.CLOCK.start(node.lives(_life(node)))


def _life(node: Node) -> clock.Process:
    node.enter("booting")
    yield durations.BOOT
    # The SSM agent is in Ubuntu's image and comes up with it.
    node.instance["_ssm_managed"] = True
    yield from _boots[node.role](node)


def api_ready(cluster_name: str, besides: Node | None = None) -> bool:
    """Whether an API server answers: enough members of etcd are up, and a seat is ready (or is ``besides``)."""
    known = cluster.existing(cluster_name)
    seats = [node for node in AGENT.of(cluster_name, "seat") if node.running and node.etcd_up]
    if known is None or len(seats) < known.quorum:
        return False
    return any(node.ready or node is besides for node in seats)


def hold_back(node: Node) -> clock.Process:
    """Stay here while a fault says that the group's nodes never join."""
    while faults.FAULTS.never_joins(node.group):
        yield 1.0


AGENT = Agent()
