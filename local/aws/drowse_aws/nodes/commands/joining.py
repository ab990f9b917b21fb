"""mint-join-token, issue-kubeconfig and issue-certificate."""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Generator
from typing import Any

from ... import durations
from ...authority import signed_request
from ..cluster import utc_now, write_secret
from ..seat import publish_kubeconfig
from .command import Command, CommandFailedError, answers

#: Real seconds; at a high speed-up a node's whole life fits in, at none it is longer than the script's half hour.
_TOKEN_LIVES = 2 * 3600
_ALPHABET = string.ascii_lowercase + string.digits


@answers("mint-join-token")
def mint_join_token(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Create a token for each instance, and write it where only that one reads it; it leaves the seat no other way."""
    pool = command.parameters.get("Pool", "")
    instances = command.parameters.get("InstanceIds", "").split(",")
    if not pool or not all(instances):
        raise CommandFailedError("InvalidParameter", "Pool or InstanceIds is missing")
    yield durations.MINT_TOKEN
    name, expires = command.cluster.name, utc_now(ahead=_TOKEN_LIVES)
    parameters = [f"/drowse/{name}/join/{pool}/{instance}" for instance in instances]
    for parameter in parameters:
        value = {
            "endpoint": f"api.{name}.drowse.internal:6443",
            "token": f"{_letters(6)}.{_letters(16)}",
            "caHash": f"sha256:{command.cluster.ca_hash}",
            "expiresAt": expires,
        }
        write_secret(parameter, json.dumps(value))
    command.cluster.write()
    return {"parameters": parameters, "expiresAt": expires}


@answers("issue-kubeconfig")
def issue_kubeconfig(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Make the operator's credentials anew."""
    yield durations.MINT_TOKEN
    publish_kubeconfig(command.cluster.name)
    return {"parameter": f"/drowse/{command.cluster.name}/kubeconfig", "hours": 12}


@answers("issue-certificate", needs_api=False)
def issue_certificate(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Sign a person's certificate: of the request only the key counts."""
    yield durations.MINT_TOKEN
    name, groups = command.parameters.get("User", ""), command.parameters.get("Groups", "").split(",")
    request = base64.b64decode(command.parameters.get("Request", ""))
    try:
        authority, certificate = signed_request(f"authority of {command.cluster.name}", request, name, groups)
    except ValueError as error:
        raise CommandFailedError("BadRequest", str(error)) from error
    return {"certificate": certificate.decode(), "ca": authority.decode(), "expiresAt": utc_now(ahead=12 * 3600)}


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))
