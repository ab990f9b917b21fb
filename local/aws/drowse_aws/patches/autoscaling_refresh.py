"""Instance refreshes."""

from __future__ import annotations

from ..emulator import Record, Response, autoscaling
from ..query import as_list, xml
from ..registry import patch
from ..scaling import refresh
from ..scaling.serving import RefusedError, answer, served, the_group


@patch(
    "autoscaling-refresh",
    "StartInstanceRefresh is over at once and replaces nothing.",
    ("services.autoscaling._ACTION_MAP", "services.autoscaling._asgs"),
)
def refresh_instances() -> None:
    autoscaling._ACTION_MAP["StartInstanceRefresh"] = served(_start)
    autoscaling._ACTION_MAP["CancelInstanceRefresh"] = served(_cancel)
    autoscaling._ACTION_MAP["DescribeInstanceRefreshes"] = served(_describe)


def _start(asked: Record) -> Response:
    one = the_group(asked)
    under_way = refresh.current(one)
    if under_way is not None:
        message = f"An Instance Refresh is already in progress: {under_way['InstanceRefreshId']}"
        raise RefusedError("InstanceRefreshInProgress", message)
    begun = refresh.start(one, asked.get("Preferences") or {})
    return answer("StartInstanceRefresh", xml({"InstanceRefreshId": begun["InstanceRefreshId"]}))


def _cancel(asked: Record) -> Response:
    under_way = refresh.current(the_group(asked))
    if under_way is None:
        message = f"No active Instance Refresh for Auto Scaling group {asked.get('AutoScalingGroupName')}"
        raise RefusedError("ActiveInstanceRefreshNotFound", message)
    under_way["Status"] = "Cancelling"
    return answer("CancelInstanceRefresh", xml({"InstanceRefreshId": under_way["InstanceRefreshId"]}))


def _describe(asked: Record) -> Response:
    wanted = as_list(asked.get("InstanceRefreshIds"))
    shown = [
        one for one in the_group(asked).get("InstanceRefreshes", []) if not wanted or one["InstanceRefreshId"] in wanted
    ]
    return answer("DescribeInstanceRefreshes", xml({"InstanceRefreshes": shown}))
