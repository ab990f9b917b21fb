"""install-network and reconcile-platform."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Generator
from typing import Any

from ... import durations
from ...emulator import s3, ssm
from .. import agent, cluster, tree
from .command import Command, CommandFailedError, answers

#: What the node scripts keep of Flux beyond a seat (userdata/lib/flux-store.sh).
ARCHIVE = "flux/artifacts.tar.gz"
#: What a seat keeps of the images that the platform runs (userdata/lib/image-store.sh).
IMAGE_LIST = "images/list.json"
#: The layers that install-network.sh waits for.
NETWORK = frozenset({"base", "network", "network-config"})


@answers("install-network")
def install_network(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Network plugin and Flux on a new cluster; from then on nodes become Ready."""
    layers = {layer.name for layer in _tree_of(command.cluster).layers}
    failed = [{"name": name, "message": "there is no such Kustomization"} for name in sorted(NETWORK - layers)]
    if failed:
        raise CommandFailedError("PlatformNotReady", f"{len(failed)} of {len(NETWORK)} are not ready", failed=failed)
    yield from _network(command.cluster)
    return {"ready": sorted(NETWORK), "leftOut": [], "at": command.cluster.network_at}


def _network(state: cluster.Cluster) -> Generator[float, None, None]:
    yield durations.CHECK_NETWORK if state.network_at else durations.INSTALL_NETWORK
    if state.network_at is None:
        state.network_at = cluster.utc_now()
        state.write(2)


@answers("reconcile-platform")
def reconcile_platform(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Give drained nodes back, then bring every layer of the tree; what needs missing nodes is not waited for."""
    state = command.cluster
    without = command.parameters.get("Without", "none")
    platform = _tree_of(state)
    for node in state.nodes.values():
        if node.cordoned:
            node.cordoned = False
            state.write()
    if state.network_at is None:
        yield from _network(state)
    left_out = platform.left_out(without)
    waited = 0.0
    while failed := _not_ready(state, platform, left_out):
        if waited >= durations.RECONCILE_AT_MOST:
            message = (
                f"{len(failed)} of {len(platform.layers)} are not ready: {', '.join(one['name'] for one in failed)}"
            )
            raise CommandFailedError("PlatformNotReady", message, failed=failed)
        waited += durations.RECONCILE_POLL
        yield durations.RECONCILE_POLL
    fetched = _fetch(state, platform)
    _pull(state, platform.images())
    yield durations.RECONCILE_FIRST if fetched else durations.RECONCILE
    state.platform_at = cluster.utc_now()
    state.write(len(platform.layers))
    ready = {layer.name for layer in platform.layers} - left_out
    return {"ready": sorted(ready), "leftOut": sorted(left_out), "at": state.platform_at}


def _tree_of(state: cluster.Cluster) -> tree.Tree:
    try:
        deployed = ssm.resolve_parameter_value(f"/drowse/{state.name}/platform")
        return tree.Tree(cluster.bucket(state.name), deployed)
    except tree.TreeMissingError as missing:
        raise CommandFailedError("PlatformMissing", str(missing)) from missing


def _not_ready(state: cluster.Cluster, platform: tree.Tree, left_out: set[str]) -> list[dict[str, str]]:
    """Layers whose pods no node takes, then those that wait for them."""
    if _takes_pods(state):
        return []
    without = platform.left_out("workers")
    failed = [layer for layer in platform.layers if layer.name in without - left_out]
    return [
        {"name": layer.name, "message": "no node takes its pods" if layer.needs else "a dependency is not ready"}
        for layer in sorted(failed, key=lambda layer: (not layer.needs, layer.name))
    ]


def _takes_pods(state: cluster.Cluster) -> bool:
    return any(
        node.role == "pool" and not node.cordoned and (played := agent.AGENT.node(name)) is not None and played.ready
        for name, node in state.nodes.items()
    )


def _fetch(state: cluster.Cluster, platform: tree.Tree) -> int:
    """Ask for each source whose pinned content is not in the archive of the bucket; how many were asked."""
    bucket = cluster.bucket(state.name)
    wanted = {_artifact(source): source for source in platform.sources()}
    stored = s3._get_object_data(bucket, ARCHIVE)
    names = set[str]()
    if stored is not None:
        with tarfile.open(fileobj=io.BytesIO(bytes(stored)), mode="r:gz") as archive:
            names = set(archive.getnames())
    asked = sorted(wanted[name].url for name in wanted.keys() - names)
    state.asked += asked
    if names != wanted.keys():
        s3._put_object(bucket, ARCHIVE, _archive(sorted(wanted)), {"content-type": "application/gzip"})
    return len(asked)


def _pull(state: cluster.Cluster, wanted: list[str]) -> None:
    """Ask for each image of the platform that the bucket does not have: the instances are new, and have none."""
    bucket = cluster.bucket(state.name)
    kept = json.loads(bytes(s3._get_object_data(bucket, IMAGE_LIST) or b'{"images": {}}'))["images"]
    state.asked += [image for image in wanted if image not in kept]
    if kept.keys() != set(wanted):
        images = {image: {"digest": f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"} for image in wanted}
        text = json.dumps({"images": images}).encode()
        s3._put_object(bucket, IMAGE_LIST, text, {"content-type": "application/json"})


def _artifact(source: tree.Source) -> str:
    digest = hashlib.sha256(source.pin.encode()).hexdigest()
    return f"{source.kind.lower()}/flux-system/{source.name}/{digest}.tar.gz"


def _archive(names: list[str]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return gzip.compress(body.getvalue(), mtime=0)
