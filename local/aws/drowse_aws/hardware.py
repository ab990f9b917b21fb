"""The seam between what EC2 says and what an instance is made of.

Instances are played by default: nothing but records, with simulated durations (nodes/). With DROWSE_NODES=real each
is a container (machines/).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any, Protocol

from .emulator import Record


@dataclasses.dataclass
class Output:
    """What a command of Run Command left."""

    stdout: str
    stderr: str
    code: int


#: A running command: yields simulated seconds to wait, returns its output.
Run = Generator[float, None, Output]


class Hardware(Protocol):
    """What instances are made of."""

    def instance_changed(self, instance: Record) -> None:
        """An instance has another state."""

    def switch_off(self, instance: Record, seconds: float, then: Callable[[], None]) -> None:
        """Switch an instance off, which takes so many simulated seconds where nothing real happens; then go on."""

    def reboot(self, instance: Record) -> None:
        """RebootInstances."""

    def attached(self, volume: Record, instance: Record) -> None:
        """A volume was attached."""

    def detached(self, volume_id: str, instance_id: str) -> None:
        """A volume was detached."""

    def address_moved(self, address: str) -> None:
        """A secondary address has another holder."""

    def run(self, document: str, instance_id: str, parameters: dict[str, str]) -> Run:
        """Run a command document's script on an instance."""

    def console(self, instance_id: str) -> str:
        """What GetConsoleOutput shows."""

    def api_answers(self, target: str, vpc_id: str) -> bool:
        """Whether a health check of the Kubernetes API succeeds at an address or instance."""

    def ingress_serves(self) -> bool:
        """Whether some cluster's ingress answers on its Elastic IP."""

    def described(self) -> list[dict[str, Any]]:
        """The instances, for GET /_drowse/plugin."""

    def close(self) -> None:
        """Leave nothing behind; called at the end, perhaps twice."""


_current: Hardware | None = None


def use(hardware: Hardware) -> None:
    """From now on instances are made of this."""
    global _current
    _current = hardware


def current() -> Hardware:
    """What instances of this process are made of."""
    if _current is None:
        raise RuntimeError("nobody has said what instances are made of")
    return _current
