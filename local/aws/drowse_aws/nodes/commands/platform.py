"""install-network and reconcile-platform."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ... import durations
from .. import agent, cluster
from . import Command, CommandFailedError, answers

#: Flux Kustomizations in the order of the design: controllers, configs, apps.
KUSTOMIZATIONS = ("controllers", "configs", "apps")

#: What is not waited for, by the nodes that the command is told to do without.
LEFT_OUT = {"none": (), "gpu": ("apps",), "workers": ("apps", "controllers")}


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
    """Let Flux reconcile: longer the first time; without a node that takes pods it waits, unless told not to."""
    state = command.cluster
    without = command.parameters.get("Without", "none")
    if state.network_at is None:
        yield from _network(state)
    waited = 0.0
    while without != "workers" and not _takes_pods(state):
        if waited >= durations.RECONCILE_AT_MOST:
            message = f"not every part of the platform is ready after {durations.RECONCILE_AT_MOST:g} s"
            failed = [{"name": name, "message": "no node takes its pods"} for name in KUSTOMIZATIONS]
            raise CommandFailedError("PlatformNotReady", message, failed=failed)
        waited += durations.RECONCILE_POLL
        yield durations.RECONCILE_POLL
    yield durations.RECONCILE if state.platform_at else durations.RECONCILE_FIRST
    state.platform_at = cluster.utc_now()
    state.write(len(KUSTOMIZATIONS))
    left_out = LEFT_OUT[without]
    return {"ready": sorted(set(KUSTOMIZATIONS) - set(left_out)), "leftOut": left_out, "at": state.platform_at}


def _takes_pods(state: cluster.Cluster) -> bool:
    return any(
        node.role == "pool" and not node.cordoned and (played := agent.AGENT.node(name)) is not None and played.ready
        for name, node in state.nodes.items()
    )
