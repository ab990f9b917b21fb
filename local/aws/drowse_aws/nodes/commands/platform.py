"""reconcile-platform."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ... import durations
from .. import agent, cluster
from . import Command, CommandFailedError, answers

#: Flux Kustomizations in the order of the design: controllers, configs, apps.
KUSTOMIZATIONS = ("controllers", "configs", "apps")


@answers("reconcile-platform")
def reconcile_platform(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Let Flux reconcile: longer the first time; without a node that takes pods nothing becomes ready."""
    state = command.cluster
    yield durations.RECONCILE if state.platform_at else durations.RECONCILE_FIRST
    takers = [
        name
        for name, node in state.nodes.items()
        if node.role == "pool" and not node.cordoned and (played := agent.AGENT.node(name)) and played.ready
    ]
    if not takers:
        message = "no node takes pods: every pool node is gone, not ready or cordoned"
        failed = [{"name": name, "message": message} for name in KUSTOMIZATIONS]
        raise CommandFailedError("PlatformNotReady", message, failed=failed)
    state.platform_at = cluster.utc_now()
    state.write(len(KUSTOMIZATIONS))
    return {"ready": list(KUSTOMIZATIONS), "at": state.platform_at}
