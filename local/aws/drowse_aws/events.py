"""Events that AWS services put on the default bus of EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from . import clock
from .emulator import eventbridge


def emit(source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
    """Put one event of an AWS service, soon: its targets must not run inside the call that caused it."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": list(resources)}
    clock.CLOCK.after_real(0, lambda: eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True))
