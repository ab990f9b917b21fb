"""SSM documents in templates."""

from __future__ import annotations

import json
from typing import Any

from ..emulator import Record
from ..json_api import ApiError
from ..registry import patch
from ..templates import Created, ResourceError, add_type, physical_name, tag_list
from . import ssm_documents


@patch(
    "cfn-ssm-document",
    "AWS::SSM::Document is missing.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS",),
)
def deploy_documents() -> None:
    add_type("AWS::SSM::Document", _create, _delete, _update)


def _content(props: Record) -> str:
    content = props.get("Content")
    return content if isinstance(content, str) else json.dumps(content)


def _create(logical_id: str, props: Record, stack: str) -> Created:
    name = str(props.get("Name") or physical_name(stack, logical_id))
    try:
        ssm_documents.create({**props, "Name": name, "Content": _content(props), "Tags": tag_list(props)})
    except ApiError as error:
        raise ResourceError(": ".join(error.args)) from error
    return name, {}


def _update(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    try:
        document = ssm_documents.get(physical_id)
        if new.get("Name", physical_id) != physical_id or old.get("DocumentType") != new.get("DocumentType"):
            raise ResourceError("a change of Name or DocumentType needs a new document")
        if _content(old) != _content(new):
            ssm_documents.add_version(document, _content(new), str(new.get("DocumentFormat") or "JSON"))
            document["DefaultVersion"] = document["LatestVersion"]
    except ApiError as error:
        raise ResourceError(": ".join(error.args)) from error
    document["Tags"] = tag_list(new)
    return physical_id, {}


def _delete(physical_id: str, props: Record) -> None:
    ssm_documents.DOCUMENTS.pop(physical_id, None)
