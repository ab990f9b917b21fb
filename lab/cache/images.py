#!/usr/bin/env python3
"""Container images out of single files, as an OCI image layout: images.py LAYOUT SPECIFICATION

The specification is a JSON list of {"reference", "entrypoint", "user", "files": [{"source", "target"} | {"text", "target"} |
{"link", "target"}]}. Same files, same bytes: nothing in a layer has a time or an owner.
"""

import hashlib
import io
import json
import os
import sys
import tarfile

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Layout:
    """An OCI image layout in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.index = []
        os.makedirs(f"{folder}/blobs/sha256", exist_ok=True)

    def blob(self, content, kind):
        digest = hashlib.sha256(content).hexdigest()
        with open(f"{self.folder}/blobs/sha256/{digest}", "wb") as file:
            file.write(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def add(self, reference, entrypoint, user, files):
        layer = self.blob(layer_of(files), LAYER)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": [f"PATH={PATH}"],
                **({"Entrypoint": entrypoint} if entrypoint else {}),
                **({"User": user} if user else {}),
            },
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(config).encode(), CONFIG),
            "layers": [layer],
        }
        described = self.blob(json.dumps(manifest).encode(), MANIFEST)
        self.index.append({**described, "annotations": {"org.opencontainers.image.ref.name": reference}})

    def close(self):
        for name, content in (
            ("index.json", {"schemaVersion": 2, "manifests": self.index}),
            ("oci-layout", {"imageLayoutVersion": "1.0.0"}),
        ):
            with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)


def layer_of(files):
    buffer = io.BytesIO()
    made = set()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        add_folder(tar, made, "tmp", 0o1777)
        for file in sorted(files, key=lambda one: one["target"]):
            target = file["target"].lstrip("/")
            parents = target.split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                add_folder(tar, made, "/".join(parents[:depth]), 0o755)
            add_file(tar, target, file)
    return buffer.getvalue()


def add_folder(tar, made, name, mode):
    if name in made:
        return
    made.add(name)
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    tar.addfile(info)


def add_file(tar, target, file):
    info = tarfile.TarInfo(target)
    if "link" in file:
        info.type, info.linkname = tarfile.SYMTYPE, file["link"]
        tar.addfile(info)
        return
    if "text" in file:
        content = file["text"].encode()
    else:
        with open(file["source"], "rb") as source:
            content = source.read()
    info.size, info.mode = len(content), 0o755
    tar.addfile(info, io.BytesIO(content))


def main(folder, specification):
    layout = Layout(folder)
    with open(specification, encoding="utf-8") as file:
        for image in json.load(file):
            layout.add(image["reference"], image.get("entrypoint"), image.get("user"), image["files"])
    layout.close()


main(*sys.argv[1:])
