"""Container images in an OCI layout, found as a registry's clients ask for them."""

from __future__ import annotations

import dataclasses
import json
import os
import re

_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
_BLOB = re.compile(r"/v2/.+/blobs/(?P<digest>sha256:[0-9a-f]{64})")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: Registries that are asked under another name than the one in an image's name.
_ALIASES = {"registry-1.docker.io": "docker.io"}


@dataclasses.dataclass(frozen=True)
class Found:
    """What a registry sends."""

    content: bytes
    kind: str
    digest: str


class Images:
    """OCI image layouts whose indexes name each image in full (``registry.k8s.io/pause:3.10.2``)."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find(self, host: str, path: str) -> Found | None:
        """What is at a path of the registry ``host``; the version check, a manifest by tag or digest, or a blob."""
        if path == "/v2/":
            return Found(b"{}", "application/json", "")
        blob = _BLOB.fullmatch(path)
        if blob:
            return self._read(blob["digest"], "application/octet-stream")
        manifest = _MANIFEST.fullmatch(path)
        if manifest is None:
            return None
        reference = manifest["reference"]
        digest = reference
        if not reference.startswith("sha256:"):
            digest = self._tags().get(f"{_ALIASES.get(host, host)}/{manifest['name']}:{reference}", "")
        return self._read(digest, "application/vnd.oci.image.manifest.v1+json")

    def hosts(self) -> set[str]:
        """The registries that these images are of."""
        named = {name.partition("/")[0] for name in self._tags()}
        return named | {alias for alias, host in _ALIASES.items() if host in named}

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = {}
        for folder in self._folders:
            with open(f"{folder}/index.json", encoding="utf-8") as file:
                manifests = json.load(file)["manifests"]
            tags |= {one["annotations"]["org.opencontainers.image.ref.name"]: one["digest"] for one in manifests}
        return tags

    def _read(self, digest: str, kind: str) -> Found | None:
        for folder in self._folders:
            path = f"{folder}/blobs/{digest.replace(':', '/')}"
            if _DIGEST.fullmatch(digest) and os.path.isfile(path):
                with open(path, "rb") as file:
                    return Found(file.read(), kind, digest)
        return None
