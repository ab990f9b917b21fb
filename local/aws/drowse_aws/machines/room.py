"""The room in which all machines run: one PID namespace and one bridge, gone at once with whatever runs in it."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Network

from .namespaces import Network

#: Where every instance finds its metadata.
METADATA = "169.254.169.254"


class Room:
    """lab/machine/room.sh, with the addresses of a VPC. It ends with this process, however that ends."""

    def __init__(self, scripts: str, vpc: IPv4Network, subnets: list[IPv4Network]) -> None:
        self.vpc = vpc
        #: Amazon's resolver is the network's base plus two; each subnet's router is its base plus one.
        self.resolver = str(vpc[2])
        self.router = str(vpc[1])
        addresses = {f"{self.router}/32", f"{self.resolver}/32", f"{METADATA}/32"}
        addresses |= {f"{subnet[1]}/32" for subnet in subnets}
        namespaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--net"]
        self._process = subprocess.Popen(
            [*namespaces, "bash", f"{scripts}/room.sh", str(vpc), *sorted(addresses)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("the room has no standard output")
        line = self._process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise RuntimeError("the room for machines does not come up; its words are in the log")
        self.pid = int(line[1])
        self.network = Network(self.pid)

    def run(self, *command: str) -> str:
        """Run a command in the room's network. Raises CalledProcessError."""
        inside = ["nsenter", "--target", str(self.pid), "--net", *command]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout

    def close(self) -> None:
        """End it: the kernel kills what runs in it."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5)
