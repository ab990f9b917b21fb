"""Baking: the node bundle's own install stage, run in a machine whose disk then becomes the image of all others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from ipaddress import IPv4Network

from .cache import Cache
from .machine import Machine, Wiring
from .room import Room

#: What is an instance's own: an image has none of it.
_OWN = ("etc/hostname", "etc/resolv.conf", "opt/drowse", "var/lib/lab", "var/lib/amazon", "var/log/journal", "root")
_ANSWERS_WITHIN = 300.0


class BakeFailedError(Exception):
    """The install stage failed; the message has the end of its words."""


def layers(cache: Cache, role: str) -> tuple[str, ...]:
    """Layers of a root disk below the machine's own, the uppermost first."""
    baked = cache.baked.get(role)
    return (f"{baked}/disk", cache.rootfs) if baked is not None else (cache.rootfs,)


def copy_runtime(cache: Cache, role: str, folder: str) -> None:
    """The runtime's data: files of layers are links to the image's; databases, which are rewritten, are copied."""
    baked = cache.baked.get(role)
    if baked is not None:
        shutil.copytree(f"{baked}/containerd", f"{folder}/containerd", symlinks=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith(".db"):
        shutil.copy2(source, target)
    else:
        os.link(source, target, follow_symlinks=False)


def bake(cache: Cache, room: Room, scripts: str, settings: str, folder: str, asked: dict[str, str]) -> None:
    """Bake the image of a role into the folder ``asked["into"]``. Raises BakeFailedError.

    ``asked``: role, digest (of the node bundle), bundle (its file), into, log (a file for what the install stage says).
    """
    os.makedirs(f"{folder}/disk/opt/drowse")
    with tarfile.open(asked["bundle"]) as archive:
        archive.extractall(f"{folder}/disk/opt/drowse", filter="data")
    _trust(f"{folder}/disk/opt/drowse/install.json", cache.fingerprint)
    wiring = Wiring(
        name="bake",
        address=_address(room.vpc, asked["role"]),
        mac="0a:00:00:00:00:01",
        link=f"bake-{asked['role']}"[:15],
        layers=(cache.rootfs,),
        settings=settings,
        pods="",
    )
    machine = Machine(room, scripts, folder, f"bake-{asked['role']}", wiring)
    machine.start(lambda _wants: None)
    try:
        _wait(machine)
        _install(machine, asked)
        machine.execute(["systemctl", "stop", "containerd.service"]).communicate()
    finally:
        machine.shut_down()
    _keep(folder, asked["into"])


def _trust(install: str, fingerprint: str) -> None:
    """The archives are signed with a key of the lab: the one thing in which its install differs."""
    with open(install, encoding="utf-8") as file:
        document = json.load(file)
    for part in ("kubernetes", "containerd"):
        document[part]["repository"]["keyFingerprint"] = fingerprint
    with open(install, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)


def _address(vpc: IPv4Network, role: str) -> str:
    """At the network's end, where no instance of a lab comes."""
    return str(vpc[-10 - sum(role.encode()) % 200])


def _wait(machine: Machine) -> None:
    deadline = time.monotonic() + _ANSWERS_WITHIN
    while not machine.answers():
        if not machine.running or time.monotonic() > deadline:
            raise BakeFailedError("the machine to bake does not come up")
        time.sleep(0.1)


def _install(machine: Machine, asked: dict[str, str]) -> None:
    profile = asked["role"]
    process = machine.execute(["/opt/drowse/node.sh", "install", profile, asked["digest"]], stderr=subprocess.STDOUT)
    output, _ = process.communicate()
    with open(asked["log"], "wb") as log:
        log.write(output)
    if process.returncode != 0:
        raise BakeFailedError(output[-1500:].decode(errors="replace"))


def _keep(folder: str, into: str) -> None:
    for name in _OWN:
        path = f"{folder}/disk/{name}"
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
    with open(f"{folder}/disk/etc/machine-id", "w", encoding="utf-8"):
        pass
    unfinished = f"{into}.{os.getpid()}"
    os.makedirs(unfinished)
    for name in ("disk", "containerd"):
        os.rename(f"{folder}/{name}", f"{unfinished}/{name}")
    os.rename(unfinished, into)
    shutil.rmtree(folder, ignore_errors=True)
