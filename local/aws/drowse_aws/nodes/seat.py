"""A control-plane seat's boot: one path for first boot, wake, replacement and restart."""

from __future__ import annotations

import base64
import json

from .. import clock, durations
from ..emulator import Record, ec2, ssm
from ..patches.ec2_instances import set_tags, tags_of
from ..patches.ec2_interfaces import take_address
from ..patches.ec2_volumes import attach, refusal
from . import agent, cluster
from .node import Node, NodeFailedError

_STATE_DEVICE = "/dev/sdf"


def boot(node: Node) -> clock.Process:
    """From user data to ready."""
    # The address first: whatever follows is reached through it.
    _take_fixed_ip(node)
    volume = yield from _attach_state(node)
    node.enter("runtime")
    yield durations.SEAT_RUNTIME
    node.enter("control-plane")
    yield from _start_control_plane(node, volume)
    while not agent.api_ready(node.cluster_name, besides=node):
        yield 1.0
    if node.cluster is not None:
        node.cluster.register(node.instance_id, "seat", "")
    yield from agent.hold_back(node)
    node.enter("ready")
    _publish_kubeconfig(node)


def _take_fixed_ip(node: Node) -> None:
    address = node.fixed_ip()
    interface = ec2._network_interfaces.get(node.instance.get("_interface"))
    if address and interface is not None:
        refused = take_address(interface, address, reassign=True)
        if refused:
            raise NodeFailedError("fixed-ip-taken")


def _attach_state(node: Node) -> agent.Waits[Record]:
    """The seat's own volume, attached here; waits while a dying predecessor still holds it."""
    volumes = cluster.state_volumes(node.cluster_name, node.seat)
    if not volumes:
        raise NodeFailedError("volume-missing")
    if len(volumes) > 1:
        raise NodeFailedError("volume-ambiguous")
    volume = volumes[0]
    held = [one["InstanceId"] for one in volume["Attachments"]]
    if held == [node.instance_id]:  # a restart: it never let go
        return volume
    while (refused := refusal(volume, node.instance)) is not None:
        if refused[0] != "VolumeInUse":
            raise NodeFailedError("volume-in-another-zone" if "Zone" in refused[0] else "volume-not-attachable")
        yield durations.VOLUME_POLL
    attach(volume, node.instance, _STATE_DEVICE)
    yield durations.ATTACH_VOLUME
    return volume


def _start_control_plane(node: Node, volume: Record) -> clock.Process:
    """The three cases of the design: data there; blank and never initialised; blank and initialised."""
    seat = int(node.seat or 0)
    found = cluster.on_volume(volume)
    if found is not None:
        node.cluster = found
        yield durations.SEAT_RESTORE
    else:
        known = cluster.existing(node.cluster_name)
        lost = known is not None and seat in known.members and not agent.api_ready(node.cluster_name)
        if lost or (known is None and cluster.has_snapshots(node.cluster_name)):
            raise NodeFailedError("state-lost")
        if known is None and seat == 0:
            node.cluster = cluster.Cluster(node.cluster_name, {0})
            yield durations.SEAT_FIRST_INIT
        else:
            while not agent.api_ready(node.cluster_name):
                yield durations.TOKEN_POLL
            node.cluster = cluster.existing(node.cluster_name)
            yield durations.SEAT_JOIN
    if node.cluster is None:
        raise NodeFailedError("state-lost")
    node.cluster.members.add(seat)
    node.cluster.write()
    cluster.put_on_volume(volume, node.cluster)
    if "drowse:initialised" not in tags_of(volume["VolumeId"]):
        set_tags(volume["VolumeId"], {"drowse:initialised": cluster.utc_now()})
    node.etcd_up = True


def _publish_kubeconfig(node: Node) -> None:
    name = node.cluster_name
    endpoint = f"api.{name}.drowse.internal"
    authority = base64.b64encode(f"authority of {name}".encode()).decode()
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://{endpoint}:6443",
                    "tls-server-name": endpoint,
                    "certificate-authority-data": authority,
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
        "current-context": name,
        "users": [{"name": "admin", "user": {}}],
    }
    write_secret(f"/drowse/{name}/kubeconfig", json.dumps(content))


def write_secret(name: str, value: str) -> None:
    """PutParameter of a SecureString, as a node does it."""
    ssm._put_parameter({"Name": name, "Value": value, "Type": "SecureString", "Overwrite": True})
