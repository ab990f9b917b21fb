"""Scaling processes that can be suspended, and calls that have nothing to do here."""

from __future__ import annotations

from collections.abc import Callable

from ..emulator import Record, Response, autoscaling
from ..query import as_list
from ..registry import patch
from ..scaling import capacity
from ..scaling.serving import RefusedError, answer, served, the_group

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)


@patch(
    "autoscaling-processes",
    "SuspendProcesses and ResumeProcesses are missing.",
    ("services.autoscaling._ACTION_MAP",),
)
def suspend_processes() -> None:
    autoscaling._ACTION_MAP.setdefault("SuspendProcesses", served(_changing("SuspendProcesses", set.update)))
    resume = _changing("ResumeProcesses", set.difference_update)
    autoscaling._ACTION_MAP.setdefault("ResumeProcesses", served(resume))


def _changing(action: str, change: Callable[[set[str], list[str]], None]) -> Callable[[Record], Response]:
    def run(asked: Record) -> Response:
        one = the_group(asked)
        wanted = as_list(asked.get("ScalingProcesses")) or list(PROCESSES)
        unknown = [process for process in wanted if process not in PROCESSES]
        if unknown:
            raise RefusedError("ValidationError", f"Process type '{unknown[0]}' is not known")
        change(one.setdefault("_suspended", set()), wanted)
        capacity.reconcile(one)
        response: Response = autoscaling._xml(200, f"{action}Response", "")
        return response

    return run


@patch(
    "autoscaling-warm-pool",
    "DescribeWarmPool is missing: there never is a warm pool here (AWS::AutoScaling::WarmPool is a stub).",
    ("services.autoscaling._ACTION_MAP",),
)
def have_no_warm_pool() -> None:
    autoscaling._ACTION_MAP.setdefault("DescribeWarmPool", served(_no_warm_pool))


def _no_warm_pool(asked: Record) -> Response:
    the_group(asked)
    return answer("DescribeWarmPool", "<Instances/>")
