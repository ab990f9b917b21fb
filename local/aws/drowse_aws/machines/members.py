"""The instances that are machines, each with what a thread needs that serves no call of its account."""

from __future__ import annotations

import contextvars
import dataclasses
from collections.abc import Callable
from typing import TypeVar

from .. import lifecycle
from ..emulator import Record, ec2
from ..patches.ec2_instances import tags_of
from .machine import Machine

_T = TypeVar("_T")


@dataclasses.dataclass
class Member:
    """One instance and its machine."""

    instance: Record
    #: seat or pool, or bake for a machine that becomes an image.
    role: str
    interface: Record
    context: contextvars.Context
    machine: Machine

    @classmethod
    def of(cls, instance: Record, machine: Machine) -> Member:
        """Called in the instance's account and region."""
        role = role_of(instance)
        interface = ec2._network_interfaces[instance["_interface"]]
        return cls(instance, role, interface, contextvars.copy_context(), machine)

    @property
    def instance_id(self) -> str:
        return str(self.instance["InstanceId"])

    @property
    def running(self) -> bool:
        return lifecycle.state(self.instance) == "running" and self.machine.running

    @property
    def address(self) -> str:
        return str(self.instance["PrivateIpAddress"])

    @property
    def addresses(self) -> list[str]:
        """The private addresses, the primary first."""
        return [self.address, *self.interface.get("_secondary", [])]

    def within(self, action: Callable[[], _T]) -> _T:
        """Run something in the instance's account and region."""
        return self.context.copy().run(action)

    @property
    def phase(self) -> str:
        return self.within(lambda: tags_of(self.instance_id).get("drowse:phase", ""))


def role_of(instance: Record) -> str:
    """What the instance is for."""
    return tags_of(str(instance["InstanceId"])).get("drowse:role", "bake")
