"""SSM documents as records."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable

import yaml

from ..emulator import Record, account, responses, ssm
from ..json_api import ApiError, add_actions
from ..registry import patch

#: Documents by name, each with all its versions.
DOCUMENTS = responses.AccountRegionScopedDict()
_NAME = re.compile(r"[a-zA-Z0-9_\-.]{3,128}")
#: AWS's own documents that exist here by name.
AWS_OWNED = ("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-StartPortForwardingSession")


def parse(content: str, kind: str) -> Record:
    """A document's content. Raises ApiError."""
    try:
        parsed = yaml.safe_load(content) if kind == "YAML" else json.loads(content)
    except (ValueError, yaml.YAMLError) as error:
        raise ApiError("InvalidDocumentContent", f"the content is not {kind}: {error}") from error
    if not isinstance(parsed, dict) or "schemaVersion" not in parsed:
        raise ApiError("InvalidDocumentContent", "schemaVersion is missing")
    if str(parsed["schemaVersion"]).startswith("2") and not parsed.get("mainSteps"):
        raise ApiError("InvalidDocumentContent", "mainSteps is missing")
    return parsed


def get(name: str) -> Record:
    """A document by name or ARN. Raises ApiError."""
    found: Record | None = DOCUMENTS.get(name.rsplit("document/", 1)[-1])
    if found is None:
        raise ApiError("InvalidDocument", f"Document with name {name} does not exist.")
    return found


def parameters_of(document: Record) -> Record:
    """The parameters that the default version declares."""
    declared: Record = document["Versions"][int(document["DefaultVersion"]) - 1]["Parsed"].get("parameters") or {}
    return declared


def create(data: Record) -> Record:
    """CreateDocument. Raises ApiError."""
    name = str(data.get("Name", ""))
    if not _NAME.fullmatch(name) or name.lower().startswith(("aws", "amazon", "amzn")):
        raise ApiError("ValidationException", f"'{name}' is not a valid document name")
    if name in DOCUMENTS:
        raise ApiError("DocumentAlreadyExists", f"Document with same name {name} already exists")
    document: Record = {
        "Name": name,
        "DocumentType": data.get("DocumentType") or "Command",
        "DocumentFormat": data.get("DocumentFormat") or "JSON",
        "TargetType": data.get("TargetType"),
        "DefaultVersion": "1",
        "LatestVersion": "0",
        "Versions": [],
        "Tags": data.get("Tags") or [],
    }
    add_version(document, str(data.get("Content", "")), document["DocumentFormat"])
    DOCUMENTS[name] = document
    return document


def add_version(document: Record, content: str, kind: str) -> None:
    """A new latest version. Raises ApiError."""
    parsed = parse(content, kind)
    digest = hashlib.sha256(content.encode()).hexdigest()
    if document["Versions"] and document["Versions"][-1]["Hash"] == digest:
        raise ApiError("DuplicateDocumentContent", "The content is that of the latest version")
    document["LatestVersion"] = str(len(document["Versions"]) + 1)
    document["DocumentFormat"] = kind
    document["Versions"].append({"Content": content, "Parsed": parsed, "Hash": digest, "CreatedDate": time.time()})


def described(document: Record) -> Record:
    """A DocumentDescription."""
    version = document["Versions"][int(document["DefaultVersion"]) - 1]
    declared = parameters_of(document)
    shown = {
        "Name": document["Name"],
        "DocumentType": document["DocumentType"],
        "DocumentFormat": document["DocumentFormat"],
        "TargetType": document["TargetType"],
        "DocumentVersion": document["DefaultVersion"],
        "DefaultVersion": document["DefaultVersion"],
        "LatestVersion": document["LatestVersion"],
        "SchemaVersion": str(version["Parsed"]["schemaVersion"]),
        "Description": version["Parsed"].get("description"),
        "Status": "Active",
        "Owner": account(),
        "Hash": version["Hash"],
        "HashType": "Sha256",
        "CreatedDate": version["CreatedDate"],
        "PlatformTypes": ["Linux", "MacOS"],
        "Parameters": [{"Name": name, "Type": one.get("type", "String")} for name, one in declared.items()],
        "Tags": document["Tags"],
    }
    return {key: value for key, value in shown.items() if value is not None}


def _describe(data: Record) -> Record:
    name = str(data.get("Name", ""))
    if name in AWS_OWNED:
        return {"Document": {"Name": name, "DocumentType": "Command", "Owner": "Amazon", "Status": "Active"}}
    return {"Document": described(get(name))}


def _get(data: Record) -> Record:
    document = get(str(data.get("Name", "")))
    wanted = str(data.get("DocumentVersion") or "$DEFAULT")
    number = {"$DEFAULT": document["DefaultVersion"], "$LATEST": document["LatestVersion"]}.get(wanted, wanted)
    if not number.isdigit() or not 0 < int(number) <= len(document["Versions"]):
        raise ApiError("InvalidDocumentVersion", f"version {wanted} does not exist")
    content = document["Versions"][int(number) - 1]["Content"]
    basis = {key: document[key] for key in ("Name", "DocumentType", "DocumentFormat")}
    return {**basis, "DocumentVersion": number, "Status": "Active", "Content": content}


def _update(data: Record) -> Record:
    document = get(str(data.get("Name", "")))
    kind = str(data.get("DocumentFormat") or document["DocumentFormat"])
    add_version(document, str(data.get("Content", "")), kind)
    return {"DocumentDescription": {**described(document), "DocumentVersion": document["LatestVersion"]}}


def _set_default(data: Record) -> Record:
    document = get(str(data.get("Name", "")))
    document["DefaultVersion"] = str(data.get("DocumentVersion"))
    return {"Description": {"Name": document["Name"], "DefaultVersion": document["DefaultVersion"]}}


def _delete(data: Record) -> Record:
    DOCUMENTS.pop(get(str(data.get("Name", "")))["Name"])
    return {}


def _list(data: Record) -> Record:
    keys = ("Name", "DocumentType", "DocumentFormat", "DocumentVersion", "SchemaVersion", "Owner", "Tags")
    shown = [described(one) for one in DOCUMENTS.values()]
    for wanted in data.get("Filters") or []:
        if wanted.get("Key") == "Name":
            shown = [one for one in shown if any(one["Name"].startswith(value) for value in wanted["Values"])]
        elif wanted.get("Key") != "Owner":
            raise ApiError("InvalidFilterKey", f"the filter {wanted.get('Key')} is not honoured here")
    return {"DocumentIdentifiers": [{key: one[key] for key in keys if key in one} for one in shown]}


_ACTIONS: dict[str, Callable[[Record], Record]] = {
    "CreateDocument": lambda data: {"DocumentDescription": described(create(data))},
    "DescribeDocument": _describe,
    "GetDocument": _get,
    "UpdateDocument": _update,
    "UpdateDocumentDefaultVersion": _set_default,
    "DeleteDocument": _delete,
    "ListDocuments": _list,
}


@patch(
    "ssm-documents",
    "Documents are missing: CreateDocument, DescribeDocument, GetDocument, UpdateDocument, "
    "UpdateDocumentDefaultVersion, DeleteDocument, ListDocuments.",
    ("services.ssm.handle_request", "services.ssm.json_response", "services.ssm.error_response_json"),
)
def keep_documents() -> None:
    add_actions(ssm, _ACTIONS)
