"""Lifecycle hooks."""

from __future__ import annotations

from ..emulator import Record, Response, autoscaling
from ..query import flat
from ..registry import patch
from ..scaling import holds
from ..scaling.serving import RefusedError, answer, served, the_group

_NEEDS = ("services.autoscaling._ACTION_MAP", "services.autoscaling._hooks")


@patch(
    "autoscaling-hooks",
    "Lifecycle hooks gate nothing: no wait, no event, no time-out; CompleteLifecycleAction and "
    "RecordLifecycleActionHeartbeat always succeed.",
    _NEEDS,
)
def make_hooks_gate() -> None:
    autoscaling._ACTION_MAP["CompleteLifecycleAction"] = served(_complete)
    autoscaling._ACTION_MAP["RecordLifecycleActionHeartbeat"] = served(_heartbeat)


def _held(asked: Record) -> tuple[Record, Record, str, str]:
    """Group, member, hook name and token of the action that a request names. Raises RefusedError."""
    one = the_group(asked)
    name, token, instance_id = (asked.get(k) for k in ("LifecycleHookName", "LifecycleActionToken", "InstanceId"))
    for member in one["Instances"]:
        hold = (member.get("_holds") or {}).get(name)
        if hold and (hold["token"] == token or (not token and member["InstanceId"] == instance_id)):
            return one, member, str(name), str(hold["token"])
    what = f"token {token}" if token else f"instance ID {instance_id}"
    raise RefusedError("ValidationError", f"No active Lifecycle Action found with {what}")


def _complete(asked: Record) -> Response:
    result = asked.get("LifecycleActionResult")
    if result not in ("CONTINUE", "ABANDON"):
        raise RefusedError("ValidationError", f"LifecycleActionResult must be CONTINUE or ABANDON, not {result}")
    holds.finish(*_held(asked), result)
    return answer("CompleteLifecycleAction")


def _heartbeat(asked: Record) -> Response:
    one, member, name, _ = _held(asked)
    holds.arm(one, member, name)
    return answer("RecordLifecycleActionHeartbeat")


@patch("autoscaling-hook-checks", "PutLifecycleHook accepts a group that does not exist.", _NEEDS)
def check_hooks() -> None:
    inner = autoscaling._ACTION_MAP["PutLifecycleHook"]

    def put(asked: Record) -> Response:
        the_group(asked)
        response: Response = inner(flat(asked))
        return response

    autoscaling._ACTION_MAP["PutLifecycleHook"] = served(put)
