"""The node agent's place in ministack."""

from __future__ import annotations

from .. import hardware, lifecycle
from ..registry import patch


@patch(
    "node-agent",
    "Nothing runs on an instance: no user data, no phases, no Kubernetes node.",
    ("services.ec2._instances", "services.ec2._tags"),
)
def play_nodes() -> None:
    lifecycle.on_change(hardware.current().instance_changed)
