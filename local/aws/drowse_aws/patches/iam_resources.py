"""IAM: which resources a call is about, and what tags they have."""

from __future__ import annotations

import contextvars
import json
import re
from collections.abc import Iterator
from typing import Any

from ..emulator import Record, account, alb, app, autoscaling, ec2, iam_actions, iam_evaluator, region, tagging
from ..query import as_list, nested
from ..registry import patch
from ..scaling import groups
from . import ssm_documents
from .ec2_instances import tags_of

#: Parameters of EC2's calls that name resources, and of what type.
_EC2_FIELDS = (
    ("InstanceId", "instance"),
    ("VolumeId", "volume"),
    ("NetworkInterfaceId", "network-interface"),
    ("AllocationId", "elastic-ip"),
    ("ResourceId", None),
)
#: The resources of the call being served; every one must be allowed.
_resources: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("drowse_iam_resources", default=())

_NEEDS = ("core.iam_actions.extract_resource_arn", "core.iam_evaluator.enforce")


@patch(
    "iam-call-resources",
    "A call on several resources is checked on one of them; SendCommand, TerminateInstanceInAutoScalingGroup, "
    "CreateTags, DisassociateAddress, CreateLoadBalancer, GetParametersByPath, GetParameters and DeleteParameters on "
    "none.",
    (*_NEEDS, "services.ec2._guess_resource_type"),
)
def check_all_resources() -> None:
    inner_extract, inner_enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract(
        service: str, method: str, path: str, headers: Record, body: bytes, query: Record, where: str, owner: str
    ) -> str:
        action = str(iam_actions.extract_iam_action(service, method, path, headers, body, query) or "").split(":")[-1]
        found = tuple(_of_call(service, action, query, body))
        _resources.set(found)
        return found[0] if found else str(inner_extract(service, method, path, headers, body, query, where, owner))

    def enforce(key: str, action: str, service: str, where: str, resource_arn: str = "*", **more: Any) -> Any:
        found = _resources.get()
        for arn in found if found[:1] == (resource_arn,) else (resource_arn,):
            denied = inner_enforce(key, action, service, where, resource_arn=arn, **more)
            if denied is not None:
                return denied
        return None

    iam_actions.extract_resource_arn = extract
    iam_evaluator.enforce = enforce


def _of_call(service: str, action: str, query: Record, body: bytes) -> Iterator[str]:
    """ARNs of what a call is about; none for what ministack knows by itself."""
    if (service == "ec2" and not action.startswith(("Describe", "Run", "Create"))) or action == "CreateTags":
        yield from _of_ec2(nested(query))
    elif service == "autoscaling" and not action.startswith("Describe"):
        asked = nested(query)
        found = groups.find(str(asked.get("InstanceId")))
        name = asked.get("AutoScalingGroupName") or (found[0]["AutoScalingGroupName"] if found else None)
        one = groups.group(str(name))
        if one is not None:
            yield str(one["AutoScalingGroupARN"])
    elif service == "elasticloadbalancing" and action == "CreateLoadBalancer":
        asked = nested(query)
        kind = "net" if asked.get("Type") == "network" else "app"
        yield _arn("elasticloadbalancing", f"loadbalancer/{kind}/{asked.get('Name')}/{'0' * 16}")
    elif service == "ssm":
        yield from _of_ssm(action, json.loads(body or b"{}"))


def _of_ec2(asked: Record) -> Iterator[str]:
    for field, kind in _EC2_FIELDS:
        for one in as_list(asked.get(field)):
            yield _arn("ec2", f"{kind or ec2._guess_resource_type(one)}/{one}")
    for address in ec2._addresses.values():
        if asked.get("AssociationId") and address.get("AssociationId") == asked["AssociationId"]:
            yield _arn("ec2", f"elastic-ip/{address['AllocationId']}")
            yield _arn("ec2", f"instance/{address['InstanceId']}")


def _of_ssm(action: str, asked: Record) -> Iterator[str]:
    if action == "SendCommand":
        yield _arn("ssm", f"document/{asked.get('DocumentName')}")
        yield from (_arn("ec2", f"instance/{one}") for one in asked.get("InstanceIds") or [])
    elif action == "GetParametersByPath":
        yield _arn("ssm", f"parameter/{str(asked.get('Path')).strip('/')}")
    elif action in ("GetParameters", "DeleteParameters"):
        yield from (_arn("ssm", f"parameter/{str(one).lstrip('/')}") for one in asked.get("Names") or [])


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{region()}:{account()}:{resource}"


@patch(
    "iam-resource-tags",
    "aws:ResourceTag conditions never match for Auto Scaling groups, load balancers, documents and most of EC2.",
    ("core.iam_evaluator.enforce", "services.tagging.resource_tags"),
)
def know_tags() -> None:
    inner = tagging.resource_tags

    def resource_tags(arn: str) -> dict[str, str] | None:
        parts = arn.split(":", 5)
        tags = _tags(parts[2], parts[5]) if len(parts) == 6 else None
        if tags is None and arn in alb._tags:
            tags = {str(tag["Key"]): str(tag["Value"]) for tag in alb._tags[arn]}
        return inner(arn) if tags is None else tags

    tagging.resource_tags = resource_tags


def _tags(service: str, resource: str) -> dict[str, str] | None:
    name = resource.rsplit("/", 1)[-1]
    if service == "ec2":
        return tags_of(name)
    if service == "autoscaling":
        return {str(tag["Key"]): str(tag["Value"]) for tag in autoscaling._tags.get(name) or []}
    if service == "ssm" and resource.startswith("document/"):
        document = ssm_documents.DOCUMENTS.get(name) or {}
        return {str(tag["Key"]): str(tag["Value"]) for tag in document.get("Tags") or []}
    return None


@patch(
    "iam-request-tags",
    "aws:RequestTag conditions never match for load balancers.",
    ("core.iam_actions._BOTOCORE_SERVICE_MAP", "core.iam_actions.request_tag_context"),
)
def know_request_tags() -> None:
    # It looks up in botocore's models which operations take tags, and has no model for this service's name.
    iam_actions._BOTOCORE_SERVICE_MAP.setdefault("elasticloadbalancing", ["elbv2"])


@patch(
    "iam-secure-transport",
    "Calls come over HTTP here, so that a policy which asks for TLS (aws:SecureTransport) denies everything.",
    ("app.pin_request_origin",),
)
def count_as_encrypted() -> None:
    inner = app.pin_request_origin

    def pin_request_origin(source_ip: str, _: bool) -> None:
        # Nothing leaves this machine; on AWS the SDKs use HTTPS.
        inner(source_ip, True)

    app.pin_request_origin = pin_request_origin


@patch(
    "iam-item-conditions",
    "dynamodb:LeadingKeys and dynamodb:ReturnValues never match, and dynamodb:Attributes looks at projections alone.",
    ("core.iam_actions.dynamodb_service_context",),
)
def know_items() -> None:
    inner = iam_actions.dynamodb_service_context

    def dynamodb_service_context(body: bytes) -> Record:
        asked = json.loads(body or b"{}")
        context: Record = inner(body)
        key = asked.get("Key") or {}
        item = asked.get("Item") or {}
        # Of an item that is put the key is known by its name alone; our table's is this one.
        leading = next(iter(key.values()), item.get("id"))
        if leading:
            context["dynamodb:LeadingKeys"] = [str(next(iter(leading.values())))]
        named = [*key, *item, *_top_level(asked)]
        if named:
            context["dynamodb:Attributes"] = list(dict.fromkeys([*context.get("dynamodb:Attributes", []), *named]))
        if "ReturnValues" in asked:
            context["dynamodb:ReturnValues"] = asked["ReturnValues"]
        return context

    iam_actions.dynamodb_service_context = dynamodb_service_context


def _top_level(asked: Record) -> Iterator[str]:
    """An item's own attributes that a request writes or puts a condition on; what lies inside is not told apart."""
    names = asked.get("ExpressionAttributeNames") or {}
    for field in ("UpdateExpression", "ConditionExpression"):
        for path in re.findall(r"#\w+(?:\.#\w+)*", asked.get(field) or ""):
            yield str(names.get(path.split(".")[0]))
