"""Sessions of people on nodes."""

from __future__ import annotations

from ..emulator import Record, ssm
from ..json_api import ApiError, add_actions
from ..registry import patch


def _sessions(data: Record) -> Record:
    if data.get("State") not in ("Active", "History"):
        raise ApiError("ValidationException", "State must be Active or History")
    # There is no agent that a session could be opened to.
    return {"Sessions": []}


@patch(
    "ssm-sessions",
    "DescribeSessions is missing.",
    ("services.ssm.handle_request", "services.ssm.json_response", "services.ssm.error_response_json"),
)
def list_sessions() -> None:
    add_actions(ssm, {"DescribeSessions": _sessions})
