"""A pool node's boot: runtime, then a token, then the cluster."""

from __future__ import annotations

import datetime
import json
from typing import Any

from .. import clock, durations
from ..emulator import ssm
from ..patches.ec2_instance_types import TYPES
from . import agent, cluster
from .node import Node


@agent.boots("pool")
def boot(node: Node) -> clock.Process:
    """From user data to ready."""
    node.enter("runtime")
    kind = TYPES.get(str(node.instance["InstanceType"]))
    yield durations.POOL_RUNTIME if kind and kind.gpus else durations.SEAT_RUNTIME
    if not node.joined:
        node.enter("waiting-for-token")
        while token(node.cluster_name, node.pool, node.instance_id) is None:
            yield durations.TOKEN_POLL
    node.enter("joining")
    while not agent.api_ready(node.cluster_name) or (joined := cluster.existing(node.cluster_name)) is None:
        yield 1.0
    yield durations.KUBELET_JOIN
    node.cluster, node.joined = joined, True
    joined.register(node.instance_id, "pool", node.pool)
    while joined.network_at is None:  # registered, and NotReady until there is a network plugin
        yield 1.0
    yield from agent.hold_back(node)
    node.enter("ready")


def token(cluster_name: str, pool: str, instance_id: str) -> dict[str, Any] | None:
    """The instance's join parameter while it is valid."""
    value = ssm.resolve_parameter_value(f"/drowse/{cluster_name}/join/{pool}/{instance_id}", decrypt=True)
    if value is None:
        return None
    try:
        found = json.loads(value)
        expires = datetime.datetime.fromisoformat(str(found["expiresAt"]).replace("Z", "+00:00"))
    except (ValueError, KeyError, TypeError):
        return None
    valid = expires > datetime.datetime.now(datetime.timezone.utc)
    return found if valid and isinstance(found, dict) else None
