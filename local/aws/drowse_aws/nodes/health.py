"""What a load balancer's health check sees."""

from __future__ import annotations

from . import agent


def answers(target: str, vpc_id: str) -> bool:
    """Whether an API server answers at an address or on an instance of a network."""
    return any(
        node.role == "seat"
        and node.ready
        and node.instance["VpcId"] == vpc_id
        and target in (node.instance_id, *node.addresses())
        for node in agent.AGENT.nodes()
    )
