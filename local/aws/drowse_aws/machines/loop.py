"""Volumes as loop devices, which the kernel frees by itself once nobody uses them."""

from __future__ import annotations

import fcntl
import os
import struct

_LOOP_CTL_GET_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A
_LOOP_CLR_FD = 0x4C01
_AUTOCLEAR = 4
#: struct loop_config: fd, block size, struct loop_info64 (its flags at byte 52), eight reserved words.
_CONFIG_SIZE = 4 + 4 + 232 + 64
_FLAGS_AT = 8 + 52


class LoopDevice:
    """A file as a block device, for as long as this object or a mount holds it; a kill of this process ends both."""

    def __init__(self, file: str) -> None:
        backing = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._fd = _configured(backing)
        finally:
            os.close(backing)
        device = os.fstat(self._fd).st_rdev
        self.major, self.minor = os.major(device), os.minor(device)

    def close(self) -> None:
        """Let it go; with its last user it is free."""
        os.close(self._fd)


def _configured(backing: int) -> int:
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
            path = f"/dev/loop{number}"
            if not os.path.exists(path):
                os.mknod(path, 0o60660, os.makedev(7, number))
            device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            config = bytearray(_CONFIG_SIZE)
            struct.pack_into("II", config, 0, backing, 512)
            struct.pack_into("I", config, _FLAGS_AT, _AUTOCLEAR)
            try:
                fcntl.ioctl(device, _LOOP_CONFIGURE, bytes(config))
            except OSError as error:
                os.close(device)
                if error.errno != 16:  # EBUSY: somebody else took it meanwhile
                    raise
            else:
                return device
    finally:
        os.close(control)
