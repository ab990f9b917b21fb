"""What a room offers its machines: metadata, public names, DNS; and the door for people outside."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable

from ..authority import Authority
from . import front, metadata, resolver
from .cache import Cache
from .door import Door
from .images import Images
from .members import Member
from .room import METADATA, Room

#: All members, at each call.
Members = Callable[[], "list[Member]"]


def open_services(room: Room, cache: Cache, members: Members) -> Door:
    """Serve for as long as the process lives; the door's port is on 127.0.0.1."""
    images = Images(cache.images)
    authority = Authority.loaded(tempfile.gettempdir(), f"{cache.authority}/ca.crt", f"{cache.authority}/ca.key")
    served = {*images.hosts(), *os.listdir(cache.hosts)}
    names = room.network.datagrams(room.resolver, 53)

    def asking(address: str) -> Member | None:
        return next((one for one in members() if one.running and address in one.addresses), None)

    def address_of(name: str) -> str | None:
        if name in served or name.endswith(f".{front.AWS_DOMAIN}"):
            return room.resolver
        return next((one.address for one in members() if one.running and one.instance["PrivateDnsName"] == name), None)

    def note_phase(address: str, phase: str) -> None:
        member = asking(address)
        if member is not None:
            member.machine.phases.append((time.time(), phase))

    public = front.handler(int(os.environ["GATEWAY_PORT"]), cache.hosts, images, note_phase)
    # Hop limit 1: what a pod asks crosses one more network than its node, and gets no answer.
    facts = front.Server(room.network.listen(METADATA, 80, ttl=1), metadata.handler(asking))
    front_door = front.Server(room.network.listen(room.resolver, 443), public, authority)
    for name, serve in (
        ("metadata", facts.serve_forever),
        ("front", front_door.serve_forever),
        ("resolver", lambda: resolver.serve(names, address_of)),
    ):
        threading.Thread(target=serve, name=f"drowse-{name}", daemon=True).start()
    return Door(room.network, lambda: [one.address for one in members() if one.running and one.role == "seat"])
