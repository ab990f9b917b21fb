"""A control-plane seat's boot: one path for first boot, wake, replacement and restart (userdata/lib/seat.sh)."""

from __future__ import annotations

import base64
import json

from .. import clock, durations
from ..authority import made_client
from ..emulator import Record, ec2
from ..patches.ec2_instances import set_tags, tags_of
from ..patches.ec2_interfaces import take_address
from ..patches.ec2_volumes import attach, refusal
from . import agent, cluster
from .node import Node, NodeFailedError

_STATE_DEVICE = "/dev/sdf"


@agent.boots("seat")
def boot(node: Node) -> clock.Process:
    """From user data to ready."""
    node.enter("runtime")
    yield durations.SEAT_RUNTIME
    node.enter("control-plane")
    volume = yield from _attach_state(node)
    yield from _take_fixed_address(node)
    node.cluster = yield from _start_control_plane(node, volume)
    node.etcd_up = True
    while not agent.api_ready(node.cluster_name, besides=node):
        yield 1.0
    yield from agent.hold_back(node)
    _finish(node, node.cluster, volume)


def _attach_state(node: Node) -> agent.Waits[Record]:
    """The seat's own volume, attached here; waits while a dying predecessor still holds it."""
    volumes = cluster.state_volumes(node.cluster_name, node.seat)
    if not volumes:
        raise NodeFailedError("volume-missing")
    if len(volumes) > 1:
        volumes = [one for one in volumes if one["VolumeId"] == cluster.recorded_volume(node.cluster_name, node.seat)]
    if not volumes:
        raise NodeFailedError("volume-ambiguous")
    volume = volumes[0]
    if [one["InstanceId"] for one in volume["Attachments"]] == [node.instance_id]:  # a restart: it never let go
        return volume
    while (refused := refusal(volume, node.instance)) is not None:
        if refused[0] != "VolumeInUse":
            raise NodeFailedError("volume-missing" if "Zone" in refused[0] else "volume-not-attached")
        yield durations.VOLUME_POLL
    attach(volume, node.instance, _STATE_DEVICE)
    yield durations.ATTACH_VOLUME
    return volume


def _take_fixed_address(node: Node) -> clock.Process:
    """The seat's fixed address as a secondary one, as soon as a dying predecessor has let it go."""
    address = node.fixed_ip()
    interface = ec2._network_interfaces.get(node.instance.get("_interface"))
    if address is None or interface is None:
        return
    waited = 0.0
    while take_address(interface, address, reassign=False) is not None:
        if waited >= durations.ADDRESS_AT_MOST:
            raise NodeFailedError("fixed-address-held")
        waited += durations.ADDRESS_POLL
        yield durations.ADDRESS_POLL


def _start_control_plane(node: Node, volume: Record) -> agent.Waits[cluster.Cluster]:
    """Restore, initialise or join: the one decision of seat.sh."""
    seat = int(node.seat or 0)
    found = cluster.on_volume(volume)
    if found is not None:
        yield durations.SEAT_RESTORE
        return found
    name = node.cluster_name
    if seat == 0 and not cluster.recorded(name):
        made = cluster.Cluster(name, {0})
        yield durations.SEAT_FIRST_INIT
        cluster.put_on_volume(volume, made)
        return made
    while not cluster.recorded(name):
        yield durations.TOKEN_POLL
    if cluster.existing(name) is None:
        raise NodeFailedError("state-lost")
    while not agent.api_ready(name):
        yield durations.TOKEN_POLL
    joined = cluster.existing(name)
    if joined is None:
        raise NodeFailedError("state-lost")
    yield durations.SEAT_JOIN
    joined.members.add(seat)
    cluster.put_on_volume(volume, joined)
    return joined


def _finish(node: Node, joined: cluster.Cluster, volume: Record) -> None:
    cluster.record(node.cluster_name, int(node.seat or 0))
    if "drowse:initialised" not in tags_of(volume["VolumeId"]):
        set_tags(volume["VolumeId"], {"drowse:initialised": cluster.utc_now()})
    joined.register(node.instance_id, "seat", "")
    joined.remove_stale()
    publish_kubeconfig(node.cluster_name)
    node.enter("ready")


def publish_kubeconfig(name: str) -> None:
    endpoint = f"api.{name}.drowse.internal"
    made = made_client(f"authority of {name}", "drowse-operator", "kubeadm:cluster-admins")
    authority, certificate, key = (base64.b64encode(pem).decode() for pem in made)
    server = {
        "server": f"https://{endpoint}:6443",
        "tls-server-name": endpoint,
        "certificate-authority-data": authority,
    }
    user = {"client-certificate-data": certificate, "client-key-data": key}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "drowse-operator"}}],
        "current-context": name,
        "users": [{"name": "drowse-operator", "user": user}],
    }
    cluster.write_secret(f"/drowse/{name}/kubeconfig", json.dumps(content))
