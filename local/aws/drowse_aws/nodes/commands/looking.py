"""smoke-test and collect-diagnostics."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ... import durations, lifecycle
from ...emulator import s3
from .. import agent, cluster
from ..node import log_key
from .command import Command, CommandFailedError, answers


@answers("smoke-test")
def smoke_test(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Look at quorum, nodes and GPUs as the script does; a pod starts where a node takes it."""
    yield durations.SMOKE_TEST
    if command.parameters.get("Checks", "all") == "gpu":
        return {"checks": [{"name": "nvidia-smi", "ok": True, "detail": "not run: no node offers a GPU"}]}
    # Within a minute the cloud controller deletes the Nodes of instances that are gone.
    nodes = [node for node in command.cluster.nodes.values() if lifecycle.alive(node.name)]
    ready = {n.name for n in nodes if (played := agent.AGENT.node(n.name)) is not None and played.ready}
    missing = sorted(node.name for node in nodes if node.name not in ready)
    takes_pods = any(node.role == "pool" and not node.cordoned and node.name in ready for node in nodes)
    checks = [
        {"name": "etcd-quorum", "ok": True, "detail": f"{len(command.cluster.members)} seats"},
        {
            "name": "nodes-ready",
            "ok": not missing,
            "detail": f"not ready: {', '.join(missing)}" if missing else f"{len(ready)} nodes",
        },
        {"name": "pod-starts", "ok": takes_pods, "detail": "pod/smoke" if takes_pods else "no node takes pods"},
    ]
    if not all(check["ok"] for check in checks):
        raise CommandFailedError("SmokeTestFailed", "at least one check failed", checks=checks)
    return {"checks": checks}


@answers("collect-diagnostics", needs_api=False)
def collect_diagnostics(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Put what the node wrote into the bucket; here it is no archive."""
    yield durations.COLLECT_DIAGNOSTICS
    node = command.node
    key = log_key(node.instance_id, f"diagnostics-{cluster.utc_now().replace(':', '-')}.tar.gz")
    body = "\n".join(node.log).encode()
    status = s3._put_object(cluster.bucket(node.cluster_name), key, body, {"content-type": "application/gzip"})[0]
    if status != 200:
        raise CommandFailedError("DiagnosticsNotStored", f"the bucket does not take {key} ({status})")
    return {"key": key, "bytes": len(body)}
