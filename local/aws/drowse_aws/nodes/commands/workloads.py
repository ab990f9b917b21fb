"""drain-nodes and delete-stale-nodes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ... import durations
from .. import agent
from . import Command, answers


@answers("drain-nodes")
def drain_nodes(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Cordon and drain every pool node that is up, within the bound per node."""
    bound = float(command.parameters.get("PerNodeSeconds") or durations.DRAIN_NODE)
    up = [
        name
        for name, node in command.cluster.nodes.items()
        if node.role == "pool" and (played := agent.AGENT.node(name)) is not None and played.ready
    ]
    for name in up:
        yield min(durations.DRAIN_NODE, bound)
        command.cluster.nodes[name].cordoned = True
        command.cluster.write(2)
    return {"drained": sorted(up), "stuck": []}


@answers("delete-stale-nodes")
def delete_stale_nodes(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Delete Node objects whose instance is no more, and what is left of their volumes' attachments."""
    yield durations.DELETE_STALE_NODES
    stale = [name for name in command.cluster.nodes if not _exists(name)]
    for name in stale:
        del command.cluster.nodes[name]
        command.cluster.write()
    return {"nodes": sorted(stale), "volumeAttachments": 0}


def _exists(instance_id: str) -> bool:
    from ... import lifecycle

    return lifecycle.alive(instance_id)
