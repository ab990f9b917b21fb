"""drain-nodes, uncordon-nodes, delete-stale-nodes and measure-activity."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

from ... import durations
from .. import agent, cluster
from .command import Command, answers


@answers("drain-nodes")
def drain_nodes(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Cordon every pool node at once, then drain those that are up, ten at a time, within the bound per node."""
    bound = float(command.parameters.get("PerNodeSeconds") or durations.DRAIN_NODE)
    nodes = [node for node in command.cluster.nodes.values() if node.role == "pool"]
    for node in nodes:
        node.cordoned = True
    up = sorted(node.name for node in nodes if (played := agent.AGENT.node(node.name)) is not None and played.ready)
    yield math.ceil(len(up) / durations.DRAINED_AT_ONCE) * min(durations.DRAIN_NODE, bound)
    command.cluster.write(len(nodes) + len(up))
    return {"drained": up, "stuck": []}


@answers("uncordon-nodes")
def uncordon_nodes(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Give back what drain-nodes has cordoned; nobody else cordons here."""
    nodes = [node for node in command.cluster.nodes.values() if node.cordoned]
    for node in nodes:
        node.cordoned = False
    yield durations.UNCORDON_NODES
    command.cluster.write(len(nodes))
    return {}


@answers("delete-stale-nodes")
def delete_stale_nodes(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Delete Node objects whose instance is no more; no workload here ever leaves a VolumeAttachment."""
    yield durations.DELETE_STALE_NODES
    return {"nodes": command.cluster.remove_stale(), "volumeAttachments": 0}


@answers("measure-activity")
def measure_activity(command: Command) -> Generator[float, None, dict[str, Any]]:
    """No workload runs here, and nobody sends requests: a cluster that nobody uses."""
    yield durations.MEASURE_ACTIVITY
    return {"requests": 0, "gpuPercent": 0, "jobs": 0, "pods": 0, "at": cluster.utc_now()}
