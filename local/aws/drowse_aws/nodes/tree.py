"""The platform's tree as a seat takes it: from the bucket, by the digest in a parameter that a deployment wrote.

Of kustomize only what the tree uses for its layers and sources: resources, components, and patches that delete an
object, merge into it or add to it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import posixpath
import re
import tarfile
from collections.abc import Sequence
from typing import Any

import yaml

from ..emulator import s3

Manifest = dict[str, Any]

#: Where the archive names the images that the platform runs (lib/platform/build.ts).
IMAGES_FILE = "platform/bootstrap/images.txt"
_FROM_CHART = "drowse.dev/from-chart"
_PINNED = "drowse.dev/pinned"
_LAYERS, _SOURCES = "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
#: The loader of safe_load, written in C: the tree has thousands of lines.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TreeMissingError(Exception):
    """The deployment names no tree, or the bucket does not have it as it was deployed; the message says which."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """A Flux Kustomization of the overlay."""

    name: str
    #: Its folder below the tree; None of one that is applied from a chart's archive.
    path: str | None
    #: Nodes that it cannot get ready without: ``workers``, ``gpu`` or nothing.
    needs: str
    depends_on: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Source:
    """A chart repository or a chart in a registry, with all that it is pinned to."""

    kind: str
    name: str
    url: str
    pin: str


class Tree:
    """What a cluster gets by what its deployment wrote (lib/platform/cluster-manifest.ts)."""

    def __init__(self, bucket: str, deployed: str | None) -> None:
        """``deployed`` is the value of the parameter, None without one."""
        if deployed is None:
            raise TreeMissingError("the parameter platform does not say what to apply (ParameterNotFound)")
        asked: Manifest = json.loads(deployed)
        self._files = _unpacked(bucket, str(asked["tree"]))
        items: list[Manifest] = asked["cluster"]["items"]
        spec = next(item for item in items if item["kind"] == "Kustomization")["spec"]
        root = _key(spec["path"])
        # Nobody here reaches the user's own repository: an overlay that is only there is taken for the default.
        if any(item["kind"] == "GitRepository" for item in items) and not self._has(f"{root}/kustomization.yaml"):
            root = f"{posixpath.dirname(root)}/default"
        objects = self._build(root, _LAYERS)
        for component in spec.get("components", []):
            objects = self._build(_key(f"{root}/{component}"), _LAYERS, objects)
        self.layers = [
            Layer(
                name=one["metadata"]["name"],
                path=None if _FROM_CHART in one["metadata"].get("labels", {}) else _key(one["spec"]["path"]),
                needs=one["metadata"].get("labels", {}).get("drowse.dev/needs", ""),
                depends_on=frozenset(other["name"] for other in one["spec"].get("dependsOn", [])),
            )
            for one in objects
        ]

    def left_out(self, without: str) -> set[str]:
        """Layers that need what is not there (``none``, ``gpu`` or ``workers``), and all that depend on them."""
        missing = {"none": set[str](), "gpu": {"gpu"}, "workers": {"gpu", "workers"}}[without]
        left = {layer.name for layer in self.layers if layer.needs in missing}
        while more := {layer.name for layer in self.layers if layer.depends_on & left} - left:
            left |= more
        return left

    def sources(self) -> list[Source]:
        """The pinned sources of all layers that are fetched from outside."""
        paths = [layer.path for layer in self.layers if layer.path is not None]
        objects = [one for path in paths for one in self._build(path, _SOURCES) if _is_pinned(one)]
        charts = [one for one in objects if one["kind"] == "HelmChart"]
        return [
            Source(
                kind=one["kind"],
                name=one["metadata"]["name"],
                url=one["spec"]["url"],
                pin=json.dumps([one["spec"], *(c["spec"] for c in charts if _is_of(c, one))], sort_keys=True),
            )
            for one in objects
            if one["kind"] != "HelmChart"
        ]

    def images(self) -> list[str]:
        """What the pods of all layers run, by the deployment."""
        return self._read(IMAGES_FILE).decode().split() if self._has(IMAGES_FILE) else []

    def _build(self, folder: str, group: str, accumulated: Sequence[Manifest] = ()) -> list[Manifest]:
        """The objects of an API group that a folder comes to; a component works on those that are there already."""
        file: Manifest = yaml.load(self._read(f"{folder}/kustomization.yaml"), _Loader)
        objects = list(accumulated)
        for resource in file.get("resources", []):
            key = posixpath.normpath(f"{folder}/{resource}")
            if key.endswith(".yaml"):
                text = self._read(key)
                known = yaml.load_all(text, _Loader) if group.encode() in text else []
                objects += [one for one in known if one and one["apiVersion"].startswith(f"{group}/")]
            else:
                objects += self._build(key, group)
        for component in file.get("components", []):
            objects = self._build(_key(f"{folder}/{component}"), group, objects)
        for patch in file.get("patches", []):
            objects = [after for one in objects if (after := _patched(one, patch)) is not None]
        return objects

    def _has(self, key: str) -> bool:
        return key in self._files

    def _read(self, key: str) -> bytes:
        if key not in self._files:
            raise TreeMissingError(f"the tree has no {key}")
        return self._files[key]


def _unpacked(bucket: str, sha256: str) -> dict[str, bytes]:
    """Content by path of the archive of this digest."""
    key = f"platform/{sha256}.tar.gz"
    found = s3._get_object_data(bucket, key)
    why = "NoSuchKey" if found is None else "DigestMismatch"
    if found is None or hashlib.sha256(found).hexdigest() != sha256:
        raise TreeMissingError(f"the bucket does not give {key} with that digest ({why})")
    with tarfile.open(fileobj=io.BytesIO(bytes(found)), mode="r:gz") as archive:
        read = ((one.name, archive.extractfile(one)) for one in archive.getmembers())
        return {name: file.read() for name, file in read if file is not None}


def _key(path: str) -> str:
    return posixpath.normpath(path)


def _is_pinned(one: Manifest) -> bool:
    return str(one["metadata"].get("labels", {}).get(_PINNED, "")) == "true"


def _is_of(chart: Manifest, repository: Manifest) -> bool:
    reference = chart["spec"]["sourceRef"]
    return (reference["kind"], reference["name"]) == (repository["kind"], repository["metadata"]["name"])


def _patched(one: Manifest, patch: Manifest) -> Manifest | None:
    target = patch["target"]
    facts = {"group": one["apiVersion"].rpartition("/")[0], "kind": one["kind"], "name": one["metadata"]["name"]}
    labels = one["metadata"].get("labels", {})
    if not all(re.fullmatch(target[field], facts[field]) for field in facts if field in target):
        return one
    if "labelSelector" in target:
        name, value = str(target["labelSelector"]).split("=")
        if (str(labels.get(name.removesuffix("!"))) == value) == name.endswith("!"):
            return one
    change = yaml.load(patch["patch"], _Loader)
    if isinstance(change, list):
        return _operated(one, change)
    if change.get("$patch") == "delete":
        return None
    merged: Manifest = _merged(one, {**change, "kind": one["kind"], "apiVersion": one["apiVersion"]})
    merged["metadata"] = {**merged["metadata"], "name": one["metadata"]["name"]}
    return merged


def _operated(one: Manifest, operations: list[Manifest]) -> Manifest:
    result: Manifest = json.loads(json.dumps(one))
    for operation in operations:
        *parents, last = operation["path"].lstrip("/").split("/")
        place: Any = result
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if operation["op"] not in ("add", "replace") or isinstance(place, list):
            raise NotImplementedError(f"a patch of the tree that is not known here: {operation}")
        place[last] = operation["value"]
    return result


def _merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    result = {**base}
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(base.get(name), value)
    return result
