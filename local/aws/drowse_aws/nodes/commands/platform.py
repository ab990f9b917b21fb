"""install-network and reconcile-platform."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ... import durations
from .. import agent, cluster
from . import Command, CommandFailedError, answers

#: Flux Kustomizations in the order of the design: controllers, configs, apps.
KUSTOMIZATIONS = ("controllers", "configs", "apps")


@answers("install-network")
def install_network(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Network plugin and Flux on a new cluster; from then on nodes become Ready."""
    yield from _network(command.cluster)
    return {"ready": ["calico", "flux"], "at": command.cluster.network_at}


def _network(state: cluster.Cluster) -> Generator[float, None, None]:
    yield durations.CHECK_NETWORK if state.network_at else durations.INSTALL_NETWORK
    if state.network_at is None:
        state.network_at = cluster.utc_now()
        state.write(2)


@answers("reconcile-platform")
def reconcile_platform(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Let Flux reconcile: longer the first time; without a node that takes pods nothing becomes ready."""
    state = command.cluster
    if state.network_at is None:
        yield from _network(state)
    waited = 0.0
    while not _takes_pods(state):
        if waited >= durations.RECONCILE_AT_MOST:
            message = f"not every part of the platform is ready after {durations.RECONCILE_AT_MOST:g} s"
            failed = [{"name": name, "message": "no node takes its pods"} for name in KUSTOMIZATIONS]
            raise CommandFailedError("PlatformNotReady", message, failed=failed)
        waited += durations.RECONCILE_POLL
        yield durations.RECONCILE_POLL
    yield durations.RECONCILE if state.platform_at else durations.RECONCILE_FIRST
    state.platform_at = cluster.utc_now()
    state.write(len(KUSTOMIZATIONS))
    return {"ready": sorted(KUSTOMIZATIONS), "at": state.platform_at}


def _takes_pods(state: cluster.Cluster) -> bool:
    return any(
        node.role == "pool" and not node.cordoned and (played := agent.AGENT.node(name)) is not None and played.ready
        for name, node in state.nodes.items()
    )
