"""The registry of patches: what each works around, and a check at start that ministack still is what it patches."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
from collections.abc import Callable

from . import MINISTACK_VERSION, settings

#: Modules with patches, in the order in which they are applied (later ones may wrap what earlier ones put in place).
MODULES = (
    "lambda_errors",
    "lambda_environment",
    "lambda_warm_pool",
    "stepfunctions_errors",
    "stepfunctions_executions",
    "stepfunctions_callbacks",
    "stepfunctions_parallel",
    "ec2_instances",
    "ec2_states",
    "ec2_interfaces",
    "ec2_addresses",
    "ec2_volumes",
    "ec2_run_instances",
    "ec2_instance_types",
    "ec2_images",
    "ec2_launch_templates",
    "ec2_reservations",
    "ec2_filters",
    "ec2_console",
    "autoscaling_groups",
    "autoscaling_describe",
    "autoscaling_members",
    "autoscaling_hooks",
    "autoscaling_processes",
    "autoscaling_refresh",
    "node_agent",
    "ingress",
    "elbv2",
    "ssm_documents",
    "ssm_run_command",
    "ssm_instances",
    "ssm_sessions",
    "scheduler_context",
    "cfn_autoscaling",
    "cfn_ec2",
    "cfn_ec2_instances",
    "cfn_network",
    "cfn_ssm",
    "logs_queries",
    "service_quotas",
    "cfn_observability",
    "cfn_custom_resources",
    "cfn_bucket_deployment",
    "cfn_buckets",
    "cfn_stubs",
    "cfn_waiting",
    "iam_resources",
    "api_signatures",
    "calls",
)


class PatchMismatchError(Exception):
    """ministack is not the version, or lacks a private name, that the patches were written for."""


@dataclasses.dataclass(frozen=True)
class Patch:
    """One change to ministack."""

    name: str
    works_around: str
    #: Private names that it leans on, as ``module.attribute`` below ``ministack``.
    needs: tuple[str, ...]
    apply: Callable[[], None]


_patches: list[Patch] = []


def patch(name: str, works_around: str, needs: tuple[str, ...]) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the decorated function as a patch; it is called once, after every patch was checked."""

    def register(apply: Callable[[], None]) -> Callable[[], None]:
        if any(known.name == name for known in _patches):
            raise ValueError(f"two patches are named {name}")
        _patches.append(Patch(name, works_around, needs, apply))
        return apply

    return register


def patches() -> tuple[Patch, ...]:
    """All registered patches in the order of application."""
    # By module: patches' modules import each other, so the order in which they registered says nothing.
    return tuple(sorted(_patches, key=lambda known: MODULES.index(known.apply.__module__.rsplit(".", 1)[-1])))


def load() -> None:
    """Import every module with patches, so that they register themselves."""
    for module in MODULES:
        importlib.import_module(f"drowse_aws.patches.{module}")


def check() -> None:
    """Raise PatchMismatchError unless the installed ministack has the version and the names that patches need."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK_VERSION:
        raise PatchMismatchError(
            f"ministack {found} is installed, the patches are for {MINISTACK_VERSION}: "
            "install local/requirements.txt into the virtual environment again"
        )
    for known in _patches:
        for need in known.needs:
            module_name, attribute = need.rsplit(".", 1)
            module = importlib.import_module(f"ministack.{module_name}")
            if not hasattr(module, attribute):
                raise PatchMismatchError(f"ministack.{need} is gone, which patch '{known.name}' leans on")


def apply() -> None:
    """Load, check and apply every patch. Raises PatchMismatchError before anything was changed."""
    load()
    check()
    without = settings.current().without
    unknown = sorted(set(without) - {known.name for known in _patches})
    if unknown:
        raise PatchMismatchError(f"DROWSE_WITHOUT names '{unknown[0]}', which is not a patch")
    for known in patches():
        if known.name not in without:
            known.apply()


def replace_once(text: str, old: str, new: str, where: str) -> str:
    """Replace the one occurrence of ``old``; raise PatchMismatchError when there is not exactly one."""
    if text.count(old) != 1:
        raise PatchMismatchError(f"{where} has {text.count(old)} places like '{old[:60]}', one was expected")
    return text.replace(old, new)
