"""Saved queries of Logs Insights."""

from __future__ import annotations

import time

from ..emulator import Record, logs, new_uuid, responses
from ..json_api import ApiError, add_actions
from ..registry import patch

#: Query definitions by ID.
QUERIES = responses.AccountRegionScopedDict()


def save(fields: Record) -> str:
    """PutQueryDefinition; the ID. Raises ApiError."""
    query_id = str(fields.get("queryDefinitionId") or new_uuid())
    if fields.get("queryDefinitionId") and query_id not in QUERIES:
        raise ApiError("ResourceNotFoundException", f"The query definition {query_id} does not exist.")
    QUERIES[query_id] = {
        "queryDefinitionId": query_id,
        "name": str(fields["name"]),
        "queryString": str(fields["queryString"]),
        "logGroupNames": list(fields.get("logGroupNames") or []),
        "lastModified": int(time.time() * 1000),
    }
    return query_id


def _describe(data: Record) -> Record:
    prefix = str(data.get("queryDefinitionNamePrefix") or "")
    return {"queryDefinitions": [one for one in QUERIES.values() if one["name"].startswith(prefix)]}


def _delete(data: Record) -> Record:
    if QUERIES.pop(data.get("queryDefinitionId"), None) is None:
        raise ApiError("ResourceNotFoundException", f"The query definition {data.get('queryDefinitionId')} is missing.")
    return {"success": True}


@patch(
    "logs-queries",
    "PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition are missing.",
    ("services.cloudwatch_logs.handle_request", "services.cloudwatch_logs.json_response"),
)
def keep_queries() -> None:
    add_actions(
        logs,
        {
            "PutQueryDefinition": lambda data: {"queryDefinitionId": save(data)},
            "DescribeQueryDefinitions": _describe,
            "DeleteQueryDefinition": _delete,
        },
    )
