"""Played instances: records, simulated durations and the node agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .. import clock, faults
from ..emulator import Record
from ..hardware import Output, Run
from . import agent, commands, health, ingress, pool_node, seat  # noqa: F401 (each role registers its boot)
from .cluster import Cluster, existing
from .node import Node


class Played:
    """See hardware.Hardware."""

    def instance_changed(self, instance: Record) -> None:
        agent.AGENT.instance_changed(instance)

    def switch_off(self, instance: Record, seconds: float, then: Callable[[], None]) -> None:
        clock.CLOCK.after(seconds, then)

    def reboot(self, instance: Record) -> None:
        """A played node notices nothing of it."""

    def attached(self, volume: Record, instance: Record) -> None:
        """The record is all there is."""

    def detached(self, volume_id: str, instance_id: str) -> None:
        """The record is all there is."""

    def address_moved(self, address: str) -> None:
        """The record is all there is."""

    def run(self, document: str, instance_id: str, parameters: dict[str, str]) -> Run:
        node = agent.AGENT.node(instance_id)
        answer = commands.find(document, node.cluster_name) if node is not None else None
        if node is None or answer is None:
            return Output("", f"the embedded AWS has no answer to the document {document} on {instance_id}\n", 1)
        try:
            state = _reachable(node) if commands.needs_api(document, node.cluster_name) else _known(node)
            result = yield from answer(commands.Command(document, parameters, node, state))
        except commands.CommandFailedError as failed:
            line = f"{failed.result['error']}: {failed}"
            node.keep_log(document.removeprefix(f"{node.cluster_name}-"), [line])
            return Output(f"{json.dumps(failed.result)}\n", f"{line}\n", 1)
        return Output(f"{json.dumps({'ok': True, **result})}\n", "", 0)

    def console(self, instance_id: str) -> str:
        node = agent.AGENT.node(instance_id)
        return "".join(f"{line}\n" for line in node.log) if node is not None else ""

    def api_answers(self, target: str, vpc_id: str) -> bool:
        return health.answers(target, vpc_id)

    def ingress_serves(self) -> bool:
        return ingress.played()

    def described(self) -> list[dict[str, Any]]:
        return [node.described() for node in agent.AGENT.nodes()]

    def close(self) -> None:
        """Nothing is left of what is only played."""


def failed_by_fault(document: str) -> Output | None:
    """What a fault set by a test makes of a command."""
    fault = faults.FAULTS.command(document)
    if fault is None:
        return None
    error, message = fault
    return Output(f"{json.dumps({'ok': False, 'error': error, 'message': message})}\n", f"{error}: {message}\n", 1)


def _known(node: Node) -> Cluster:
    """What is left of the node's cluster; nothing, when every volume is blank."""
    return existing(node.cluster_name) or Cluster(node.cluster_name, set())


def _reachable(node: Node) -> Any:
    """The cluster that the node's kubectl reaches. Raises CommandFailedError."""
    if not node.ready or node.cluster is None:
        message = f"{node.instance_id} is in phase '{node.phase}', not ready"
        raise commands.CommandFailedError("ApiNotReady", message)
    if not agent.api_ready(node.cluster_name):
        raise commands.CommandFailedError("ApiNotReady", "the API server does not answer: etcd has no quorum")
    return node.cluster
