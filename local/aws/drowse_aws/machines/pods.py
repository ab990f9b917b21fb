"""The pod network of a lab: a bridge on each machine, with a share of the pods' addresses, in the place of Calico."""

from __future__ import annotations

import ipaddress
import json
import re
import threading
from collections.abc import Iterable

_POD_CIDR = re.compile(r'"podCidr":"([0-9./]+)"')
_SHARE = 24


class Shares:
    """Gives each machine a share of its own of the addresses that its user data names."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._lock = threading.Lock()

    def give(self, instance_id: str, user_data: str, gone: Iterable[str]) -> str:
        """The instance's share, "" if its user data names no addresses; shares of the gone are free again."""
        found = _POD_CIDR.search(user_data)
        if found is None:
            return ""
        with self._lock:
            for other in gone:
                self._given.pop(other, None)
            if instance_id not in self._given:
                taken = set(self._given.values())
                shares = ipaddress.IPv4Network(found[1]).subnets(new_prefix=_SHARE)
                self._given[instance_id] = next(str(one) for one in shares if str(one) not in taken)
            return self._given[instance_id]


def configuration(share: str) -> str:
    """What a network plugin leaves in /etc/cni/net.d."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": share}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": [bridge, portmap]}, indent=1)
