"""Where the lab's cache is: the document that DROWSE_LAB names, written by lab/cache."""

from __future__ import annotations

import dataclasses
import json


@dataclasses.dataclass
class Cache:
    """Folders and files, all absolute."""

    #: Folder with ca.crt and ca.key.
    authority: str
    #: The user land that every machine starts from.
    rootfs: str
    #: Folder with package archives by host name, and the fingerprint of the key that signs them.
    archives: str
    #: OCI image layouts.
    images: list[str]
    #: Baked images by role: folders with disk and containerd. The emulator adds what it bakes.
    baked: dict[str, str]
    #: Folder in which each run has one of its own.
    run: str

    @classmethod
    def read(cls, path: str) -> Cache:
        """Read the document."""
        with open(path, encoding="utf-8") as file:
            return cls(**json.load(file))

    @property
    def hosts(self) -> str:
        """The archives by host name."""
        return f"{self.archives}/hosts"

    @property
    def fingerprint(self) -> str:
        """Of the key that signs the archives."""
        with open(f"{self.archives}/fingerprint", encoding="utf-8") as file:
            return file.read().strip()
