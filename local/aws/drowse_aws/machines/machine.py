"""One machine: its folder, its container, its life from power on to power off."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from .loop import LoopDevice
from .pods import configuration
from .room import Room

#: systemd's words for "switch off" and "boot again" as signals to PID 1 (man systemd), for a machine so early in its
#: boot that nobody takes commands yet.
_SIGNALS = {"poweroff": signal.SIGRTMIN + 4, "reboot": signal.SIGRTMIN + 5}
#: How long a machine may take to switch itself off before its power is cut. EC2 gives some minutes; the kubelet's
#: graceful shutdown takes 90 s at most.
SHUTDOWN_SECONDS = 150.0
#: From power on to the machine's own root: mounts and one cable.
_ROOT_SECONDS = 60.0

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass(frozen=True)
class Wiring:
    """What a machine is told of its place; each becomes a line of machine.env."""

    name: str
    address: str
    mac: str
    #: Name of its cable's other end, on the bridge.
    link: str
    #: Layers of the root disk below its own, the uppermost first.
    layers: tuple[str, ...]
    #: The sysctl file of the node bundle: those of them that are the host's own are hidden.
    settings: str
    #: Its share of the pods' addresses; "" for none.
    pods: str


class Machine:
    """A container with systemd as PID 1."""

    def __init__(self, room: Room, scripts: str, folder: str, identity: str, wiring: Wiring) -> None:
        self.identity = identity
        self.folder = folder
        self.wiring = wiring
        self._room = room
        self._scripts = scripts
        self._process: subprocess.Popen[bytes] | None = None
        self._volumes: dict[str, LoopDevice] = {}
        self._lock = threading.RLock()
        self.pid = 0
        #: When its power came on last.
        self.started_at = 0.0
        self.boots = 0
        #: When it came to each phase of this boot, in seconds since 1970.
        self.phases: list[tuple[float, str]] = []

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, ended: Callable[[str], None]) -> None:
        """Power on; returns once its root is there. Raises RuntimeError.

        ``ended`` is called after its end with what it wants: ``boot``, ``off``, or ``cut`` if nobody asked it.
        """
        with self._lock:
            self._write_environment()
            self._write_volumes()
            self._write_pod_network()
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"{self.folder}/pid")
            self.started_at = time.time()
            self.boots += 1
            self.phases = []
            with open(f"{self.folder}/start.log", "ab") as log:
                self._process = process = subprocess.Popen(
                    ["bash", f"{self._scripts}/start.sh", str(self._room.pid), self.folder, self.identity],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.pid = self._wait_for_root(process)
        threading.Thread(target=self._watch, args=(process, ended), name=f"drowse-{self.identity}", daemon=True).start()

    def _write_environment(self) -> None:
        values = {
            "LAYERS": ":".join(self.wiring.layers),
            "HOST": self.wiring.name,
            "ADDRESS": self.wiring.address,
            "PREFIX": str(self._room.vpc.prefixlen),
            "ROUTER": self._room.router,
            "RESOLVER": self._room.resolver,
            "MAC": self.wiring.mac,
            "LINK": self.wiring.link,
            "SETTINGS": self.wiring.settings,
            "PODS": self.wiring.pods,
        }
        with open(f"{self.folder}/machine.env", "w", encoding="utf-8") as file:
            file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in values.items())

    def _write_volumes(self) -> None:
        with open(f"{self.folder}/volumes", "w", encoding="utf-8") as file:
            file.writelines(f"{name} {one.major} {one.minor}\n" for name, one in self._volumes.items())

    def _write_pod_network(self) -> None:
        if self.wiring.pods:
            with open(f"{self.folder}/pods.conflist", "w", encoding="utf-8") as file:
                file.write(configuration(self.wiring.pods))

    def _wait_for_root(self, process: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + _ROOT_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with (
                contextlib.suppress(FileNotFoundError, ValueError),
                open(f"{self.folder}/pid", encoding="utf-8") as file,
            ):
                return int(file.read())
            time.sleep(0.02)
        process.kill()
        with open(f"{self.folder}/start.log", encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"machine {self.identity} does not start: {log.read()[-500:].strip() or 'no word'}")

    def _watch(self, process: subprocess.Popen[bytes], ended: Callable[[str], None]) -> None:
        # reboot(2) in a PID namespace kills its PID 1 by SIGHUP (boot again) or SIGINT (off).
        code = process.wait()
        self._leave_groups()
        ended({-signal.SIGHUP: "boot", -signal.SIGINT: "off"}.get(code, "cut"))

    def _leave_groups(self) -> None:
        for root, folders, _ in os.walk("/sys/fs/cgroup"):
            if root.count("/") > 4:
                folders.clear()
            elif os.path.basename(root) == "drowse-lab":
                folders.clear()
                _remove_groups(f"{root}/{self.identity}")

    def shut_down(self) -> None:
        """Ask it to switch itself off, and cut its power if it does not within the bound. Returns when it is off."""
        self._press("poweroff")
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while self.running and time.monotonic() < deadline:
            time.sleep(0.1)
        self.cut()

    def reboot(self) -> None:
        """Ask it to boot again, as RebootInstances does."""
        self._press("reboot")

    def _press(self, verb: str) -> None:
        """The power button: through logind, which lets the kubelet end pods first."""
        if not self.running:
            return
        asked = self.execute(["systemctl", verb])
        asked.communicate()
        if asked.returncode != 0:
            self._signal(_SIGNALS[verb])

    def cut(self) -> None:
        """Cut its power: every process in it is killed at once. Returns when none is left."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: int) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def execute(
        self,
        command: Sequence[str],
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Run a command in it, as its root."""
        inside = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup"]
        clean = ["env", "--ignore-environment", f"PATH={_PATH}", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8"]
        return subprocess.Popen(
            [*inside, *clean, *command], stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )

    def answers(self) -> bool:
        """Whether its systemd takes commands."""
        if not self.running:
            return False
        asked = self.execute(["systemctl", "is-active", "--quiet", "basic.target"])
        asked.communicate()
        return asked.returncode == 0

    def attach(self, volume_id: str, file: str) -> None:
        """Give it a volume, under the name that the NVMe driver has for it."""
        name = device_name(volume_id)
        with self._lock:
            device = self._volumes[name] = LoopDevice(file)
        path = f"/dev/disk/by-id/{name}"
        script = 'mkdir -p "${1%/*}"; rm -f "$1"; mknod "$1" b "$2" "$3"'
        self.execute(["sh", "-c", script, "sh", path, str(device.major), str(device.minor)]).communicate()

    def detach(self, volume_id: str) -> None:
        """Take a volume away; without effect if it has none of that ID."""
        with self._lock:
            device = self._volumes.pop(device_name(volume_id), None)
        if device is not None:
            device.close()
            if self.running:
                self.execute(["rm", "-f", f"/dev/disk/by-id/{device_name(volume_id)}"]).communicate()

    def console(self) -> str:
        """What it wrote to its console."""
        try:
            with open(f"{self.folder}/console.log", encoding="utf-8", errors="replace") as file:
                return file.read()[-65_536:]
        except FileNotFoundError:
            return ""

    def discard(self) -> None:
        """Delete its root disk."""
        for device in self._volumes.values():
            device.close()
        self._volumes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def device_name(volume_id: str) -> str:
    """The NVMe driver's name of a volume, without its dash."""
    return f"nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '', 1)}"


def _remove_groups(folder: str) -> None:
    for root, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # still in use for a moment: the next run sweeps it
            os.rmdir(root)
