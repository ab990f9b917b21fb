"""All real instances of this process: EC2's calls on one side, machines on the other."""

from __future__ import annotations

import contextvars
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from .. import clock, lifecycle, settings
from ..emulator import Record, ec2
from ..hardware import Output, Run
from . import documents, image
from .cache import Cache
from .door import Door
from .machine import Machine, Wiring
from .members import Member, role_of
from .metadata import user_data
from .pods import Shares
from .room import Room
from .services import open_services

logger = logging.getLogger("drowse.machines")

_REPOSITORY = Path(__file__).parents[4]
_SCRIPTS = str(_REPOSITORY / "lab" / "machine")
_SYSCTLS = str(_REPOSITORY / "userdata" / "files" / "etc" / "sysctl.d" / "90-drowse.conf")
#: From power on until systemd takes commands. Seconds on an idle machine; the bound is for what hangs.
_ANSWERS_WITHIN = 300.0


class Fleet:
    """See hardware.Hardware. What takes time has threads of its own: the clock and the event loop never wait for it."""

    def __init__(self) -> None:
        self._cache = Cache.read(settings.current().lab)
        self._folder = f"{self._cache.run}/{os.getpid()}"
        self._shares = Shares()
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()
        self._room: Room | None = None
        self._door: Door | None = None
        self._closed = False

    def members(self) -> list[Member]:
        """Every instance that was ever a machine here."""
        return list(self._members.values())

    def instance_changed(self, instance: Record) -> None:
        if lifecycle.state(instance) == "running":
            self._in_background(lambda: self._power_on(instance), f"drowse-start-{instance['InstanceId']}")

    def _in_background(self, action: Callable[[], None], name: str) -> None:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._guarded, action), name=name, daemon=True).start()

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:
            # Nobody waits for this thread: the log is where it can be seen.
            if not self._closed:
                logger.exception("a machine's change failed")

    def _power_on(self, instance: Record) -> None:
        member = self._member_of(instance)
        machine = member.machine
        if not machine.running and not self._closed:
            machine.start(lambda wants: member.within(lambda: self._ended(member, wants)))
        boots = machine.boots
        deadline = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < deadline and machine.boots == boots and machine.running:
            if machine.answers():
                # The SSM agent comes up with the machine.
                instance["_ssm_managed"] = lifecycle.state(instance) == "running"
                return
            time.sleep(0.1)

    def _ended(self, member: Member, wants: str) -> None:
        member.instance["_ssm_managed"] = False
        if self._closed or lifecycle.state(member.instance) != "running":
            return
        if wants == "boot":
            self._in_background(lambda: self._power_on(member.instance), f"drowse-boot-{member.instance_id}")
        elif wants == "off":
            lifecycle.stop(member.instance)

    def _member_of(self, instance: Record) -> Member:
        identity = str(instance["InstanceId"])
        with self._lock:
            if identity not in self._members:
                room = self._room_of(instance)
                role = role_of(instance)
                folder = f"{self._folder}/{identity}"
                os.makedirs(folder)
                image.copy_runtime(self._cache, role, folder)
                wiring = self._wiring(instance, image.layers(self._cache, role))
                machine = Machine(room, _SCRIPTS, folder, identity, wiring)
                self._members[identity] = Member.of(instance, machine)
            return self._members[identity]

    def _wiring(self, instance: Record, layers: tuple[str, ...]) -> Wiring:
        return Wiring(
            name=str(instance["PrivateDnsName"]).partition(".")[0],
            address=str(instance["PrivateIpAddress"]),
            mac=str(ec2._network_interfaces[instance["_interface"]]["MacAddress"]),
            # Names of interfaces have 15 characters at most.
            link=f"v{str(instance['InstanceId'])[-12:]}",
            layers=layers,
            settings=_SYSCTLS,
            pods=self._shares.give(str(instance["InstanceId"]), user_data(instance), self._gone()),
        )

    def _gone(self) -> list[str]:
        return [one.instance_id for one in self.members() if lifecycle.state(one.instance) == "terminated"]

    def _room_of(self, instance: Record) -> Room:
        return self._the_room(str(instance["VpcId"]))

    def _the_room(self, vpc_id: str) -> Room:
        with self._lock:
            if self._room is None:
                vpc = IPv4Network(ec2._vpcs[vpc_id]["CidrBlock"])
                subnets = [one["CidrBlock"] for one in ec2._subnets.values() if one["VpcId"] == vpc_id]
                self._room = Room(_SCRIPTS, vpc, [IPv4Network(one) for one in subnets])
                self._door = open_services(self._room, self._cache, self.members)
            return self._room

    def the(self, instance_id: str) -> Member:
        """The machine of an instance. Raises KeyError."""
        return self._members[instance_id]

    def boot(self, member: Member) -> None:
        """Give a machine whose power was cut power again."""
        member.within(lambda: self._power_on(member.instance))

    def bake(self, asked: dict[str, str]) -> None:
        """Bake the image of a role. Raises BakeFailedError."""
        vpc_id = next(str(one["VpcId"]) for one in ec2._vpcs.values() if not one.get("IsDefault"))
        folder = f"{self._folder}/bake-{asked['role']}"
        image.bake(self._cache, self._the_room(vpc_id), _SCRIPTS, _SYSCTLS, folder, asked)

    def use_images(self, baked: dict[str, str]) -> None:
        """Machines of these roles start from these images from now on."""
        self._cache.baked.update(baked)

    def blank(self, volume_id: str) -> None:
        """Lose what is on a volume. Raises ValueError while it is attached."""
        if ec2._volumes[volume_id]["State"] != "available":
            raise ValueError(f"{volume_id} is attached")
        Path(f"{self._folder}/volumes/{volume_id}").unlink(missing_ok=True)

    def switch_off(self, instance: Record, seconds: float, then: Callable[[], None]) -> None:
        context = contextvars.copy_context()

        def end() -> None:
            member = self._members.get(str(instance["InstanceId"]))
            if member is not None:
                member.machine.shut_down()
                if lifecycle.state(instance) == "shutting-down":
                    member.machine.discard()
            context.run(clock.CLOCK.after_real, 0, then)

        self._in_background(end, f"drowse-stop-{instance['InstanceId']}")

    def reboot(self, instance: Record) -> None:
        member = self._members.get(str(instance["InstanceId"]))
        if member is not None:
            member.machine.reboot()

    def attached(self, volume: Record, instance: Record) -> None:
        member = self._members.get(str(instance["InstanceId"]))
        if member is not None:
            member.machine.attach(str(volume["VolumeId"]), self.volume_file(volume))

    def volume_file(self, volume: Record) -> str:
        """The file behind a volume; a blank one if it was never used."""
        path = f"{self._folder}/volumes/{volume['VolumeId']}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(int(volume["Size"]) << 30)
        return path

    def detached(self, volume_id: str, instance_id: str) -> None:
        member = self._members.get(instance_id)
        if member is not None:
            member.machine.detach(volume_id)

    def address_moved(self, address: str) -> None:
        """The VPC knows at once where an address is; on a bridge, neighbours remember where it was."""

        def forget() -> None:
            if self._room is not None:
                self._room.run("ip", "neighbour", "flush", "to", address)
            for member in self.members():
                if member.running:
                    member.machine.execute(["ip", "neighbour", "flush", "to", address]).communicate()

        self._in_background(forget, "drowse-neighbours")

    def run(self, document: str, instance_id: str, parameters: dict[str, str]) -> Run:
        member = self._members.get(instance_id)
        if member is None or not member.running:
            return Output("", f"{instance_id} is not running\n", 1)
        return (yield from documents.run(member.machine, document, parameters))

    def console(self, instance_id: str) -> str:
        member = self._members.get(instance_id)
        return member.machine.console() if member is not None else ""

    def api_answers(self, target: str, vpc_id: str) -> bool:
        return any(
            self._listens(one, 6443)
            for one in self.members()
            if one.running and one.instance["VpcId"] == vpc_id and target in (one.instance_id, *one.addresses)
        )

    def ingress_serves(self) -> bool:
        return any(
            self._listens(one, 443)
            for one in self.members()
            if one.running and one.within(lambda one=one: _has_elastic_ip(one.instance_id))  # type: ignore[misc]
        )

    def _listens(self, member: Member, port: int) -> bool:
        if self._room is None:
            return False
        try:
            self._room.network.connect(member.address, port, 1).close()
        except OSError:
            return False
        return True

    def described(self) -> list[dict[str, Any]]:
        return [
            {
                "instanceId": one.instance_id,
                "role": one.role,
                "state": lifecycle.state(one.instance),
                "phase": one.phase,
                "boots": one.machine.boots,
                "startedAt": one.machine.started_at,
                "phases": [{"at": at, "phase": phase} for at, phase in list(one.machine.phases)],
                "pid": one.machine.pid if one.machine.running else None,
                "door": self._door.port if self._door is not None else None,
            }
            for one in self.members()
        ]

    def close(self) -> None:
        self._closed = True
        if self._door is not None:
            self._door.close()
        if self._room is not None:
            self._room.close()
            self._room = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _has_elastic_ip(instance_id: str) -> bool:
    return any(one.get("InstanceId") == instance_id for one in ec2._addresses.values())
