"""The node agent's place in ministack."""

from __future__ import annotations

from .. import hardware, lifecycle, settings
from ..registry import patch


@patch(
    "node-agent",
    "Nothing runs on an instance: no user data, no phases, no Kubernetes node.",
    ("services.ec2._instances", "services.ec2._tags"),
)
def play_nodes() -> None:
    made_of = _hardware()
    hardware.use(made_of)
    lifecycle.on_change(made_of.instance_changed)


def _hardware() -> hardware.Hardware:
    # Only one of the two is imported: real machines need what a system without them may lack.
    if settings.current().nodes == "real":
        from ..machines.fleet import Fleet

        return Fleet()
    from ..nodes.played import Played

    return Played()
