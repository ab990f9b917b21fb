"""The lab's part of the control endpoint: what no API of AWS does to an instance.

POST /_drowse/machines/bake        {role, digest, bundle, into, log}: bakes an image
POST /_drowse/machines/images      {role: folder}: machines of these roles start from these images
POST /_drowse/machines/<id>/cut    cuts the power; EC2 goes on saying "running"
POST /_drowse/machines/<id>/boot   gives power again
POST /_drowse/volumes/<id>/blank   loses what is on a volume that is not attached
"""

from __future__ import annotations

import json
from typing import Any

from .. import hardware
from .fleet import Fleet
from .image import BakeFailedError


def route(method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Answer a call; it may take minutes, so it has a thread of its own."""
    fleet = hardware.current()
    if not isinstance(fleet, Fleet):
        return 404, {"error": "instances are played here: start with DROWSE_NODES=real"}
    kind, target, action = [*path.removeprefix("/_drowse/").split("/"), ""][:3]
    try:
        if method == "POST" and (kind, target) == ("machines", "bake"):
            fleet.bake(json.loads(body))
            return 200, {}
        if method == "POST" and (kind, target) == ("machines", "images"):
            fleet.use_images(json.loads(body))
            return 200, {}
        if method == "POST" and (kind, action) == ("machines", "cut"):
            fleet.the(target).machine.cut()
            return 200, {}
        if method == "POST" and (kind, action) == ("machines", "boot"):
            fleet.boot(fleet.the(target))
            return 200, {}
        if method == "POST" and (kind, action) == ("volumes", "blank"):
            fleet.blank(target)
            return 200, {}
    except (BakeFailedError, KeyError, ValueError) as error:
        return 400, {"error": str(error)}
    return 404, {"error": f"no {method} {path} here"}
