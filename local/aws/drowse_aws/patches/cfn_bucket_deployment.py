"""CDK's BucketDeployment."""

from __future__ import annotations

import io
import mimetypes
import zipfile
from typing import Any

from ..emulator import Record, provisioners, s3
from ..registry import patch
from ..templates import Created, ResourceError


@patch(
    "cfn-bucket-deployment",
    "CDK's BucketDeployment runs Python with boto3 and the AWS CLI from a layer, which hangs; it is done here instead.",
    (
        "services.cloudformation.provisioners._RESOURCE_HANDLERS",
        "services.s3._get_object_data",
        "services.s3._put_object",
    ),
)
def deploy_files() -> None:
    provisioners._RESOURCE_HANDLERS["Custom::CDKBucketDeployment"] = {
        "create": _deploy,
        "update": _redeploy,
        "delete": _delete,
    }


def _deploy(logical_id: str, props: Record, stack: str) -> Created:
    bucket = str(props["DestinationBucketName"])
    for key, (body, kind) in _objects(props).items():
        s3._put_object(bucket, key, body, {"content-type": kind})
    return _physical_id(props), {
        "DestinationBucketArn": f"arn:aws:s3:::{bucket}",
        "SourceObjectKeys": props["SourceObjectKeys"],
    }


def _redeploy(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    before, after = _objects(old, missing_ok=True), _objects(new)
    same_place = _physical_id(old) == _physical_id(new)
    if same_place and str(new.get("Prune", "true")).lower() == "true":
        for key in set(before) - set(after):
            s3._delete_object(str(new["DestinationBucketName"]), key)
    return _deploy("", new, stack)


def _delete(physical_id: str, props: Record) -> None:
    if str(props.get("RetainOnDelete", "true")).lower() == "true":
        return
    for key in _objects(props, missing_ok=True):
        s3._delete_object(str(props["DestinationBucketName"]), key)


def _physical_id(props: Record) -> str:
    return f"{props['DestinationBucketName']}/{_prefix(props)}"


def _prefix(props: Record) -> str:
    return str(props.get("DestinationBucketKeyPrefix") or "").strip("/")


def _objects(props: Record, missing_ok: bool = False) -> dict[str, tuple[bytes, str]]:
    """Key → content and type of everything that a deployment puts into its bucket."""
    prefix = _prefix(props)
    markers = props.get("SourceMarkers") or [{}] * len(props["SourceObjectKeys"])
    found: dict[str, tuple[bytes, str]] = {}
    for bucket, source, replaced in zip(props["SourceBucketNames"], props["SourceObjectKeys"], markers, strict=True):
        data = s3._get_object_data(bucket, source)
        if data is None:
            if missing_ok:
                continue
            raise ResourceError(f"the asset s3://{bucket}/{source} does not exist")
        extract = str(props.get("Extract", "true")).lower() == "true"
        for name, body in (_unzipped(data) if extract else {source.rsplit("/", 1)[-1]: data}).items():
            filled = body
            for marker, value in (replaced or {}).items():
                filled = filled.replace(str(marker).encode(), str(value).encode())
            kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
            found[f"{prefix}/{name}" if prefix else name] = (filled, kind)
    return found


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
