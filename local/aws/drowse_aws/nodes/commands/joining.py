"""mint-join-token."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Generator
from typing import Any

from ... import durations
from ..cluster import utc_now, write_secret
from . import Command, CommandFailedError, answers

#: Real seconds; at a high speed-up a node's whole life fits in, at none it is longer than the script's half hour.
_TOKEN_LIVES = 2 * 3600
_ALPHABET = string.ascii_lowercase + string.digits


@answers("mint-join-token")
def mint_join_token(command: Command) -> Generator[float, None, dict[str, Any]]:
    """Create a token and write it where only the pool's role can read it; it leaves the seat no other way."""
    pool = command.parameters.get("Pool", "")
    if not pool:
        raise CommandFailedError("InvalidParameter", "Pool is missing")
    yield durations.MINT_TOKEN
    name, expires = command.cluster.name, utc_now(ahead=_TOKEN_LIVES)
    parameter = f"/drowse/{name}/join/{pool}"
    token = f"{_letters(6)}.{_letters(16)}"
    value = {
        "endpoint": f"api.{name}.drowse.internal:6443",
        "token": token,
        "caHash": f"sha256:{command.cluster.ca_hash}",
        "expiresAt": expires,
    }
    write_secret(parameter, json.dumps(value))
    command.cluster.write()
    return {"parameter": parameter, "expiresAt": expires}


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))
