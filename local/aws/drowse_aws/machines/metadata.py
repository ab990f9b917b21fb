"""The metadata service of real instances: IMDSv2 only, by the address that asks, with the role's own credentials."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from ..emulator import Record, account, ec2, iam, sts
from .members import Member

_TOKEN_SECONDS = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"
#: AWS gives new credentials some minutes before the old ones end.
_CREDENTIALS_SECONDS = 3600
_RENEWED_BEFORE = 900

#: The instance at an address.
Finder = Callable[[str], "Member | None"]


class Handler(http.server.BaseHTTPRequestHandler):
    """One request. Subclassed with a finder by ``handler``."""

    protocol_version = "HTTP/1.1"
    find: Finder
    #: Ends of sessions by token.
    sessions: dict[str, float]

    def do_PUT(self) -> None:
        seconds = self.headers.get(_TOKEN_SECONDS, "")
        if self.path != "/latest/api/token" or not seconds.isdigit() or not 1 <= int(seconds) <= 21_600:
            return self._answer(400)
        token = secrets.token_urlsafe(32)
        self.sessions[token] = time.time() + int(seconds)
        self._answer(200, token, {_TOKEN_SECONDS: seconds})

    def do_GET(self) -> None:
        if self.sessions.get(self.headers.get(_TOKEN, ""), 0) < time.time():
            return self._answer(401)
        found = type(self).find(self.client_address[0])
        if found is None:
            return self._answer(404)
        text = found.within(lambda: answer(found.instance, self.path.removeprefix("/latest/").rstrip("/")))
        self._answer(404) if text is None else self._answer(200, text)

    def _answer(self, status: int, text: str = "", headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: each node asks every few minutes."""


def handler(finder: Finder) -> type[Handler]:
    """A handler class for a server."""
    return type("MetadataHandler", (Handler,), {"find": staticmethod(finder), "sessions": {}})


def answer(instance: Record, path: str) -> str | None:
    """What the service says below /latest/, if anything. Called in the instance's account and region."""
    interface: Record = ec2._network_interfaces[instance["_interface"]]
    mac = interface["MacAddress"]
    zone = instance["Placement"]["AvailabilityZone"]
    ours = f"meta-data/network/interfaces/macs/{mac}"
    role = _role(instance)
    known: dict[str, Callable[[], str]] = {
        "dynamic/instance-identity/document": lambda: _identity(instance, zone),
        "meta-data/instance-id": lambda: instance["InstanceId"],
        "meta-data/instance-type": lambda: instance["InstanceType"],
        "meta-data/local-ipv4": lambda: instance["PrivateIpAddress"],
        "meta-data/local-hostname": lambda: instance["PrivateDnsName"],
        "meta-data/hostname": lambda: instance["PrivateDnsName"],
        "meta-data/placement/availability-zone": lambda: zone,
        "meta-data/placement/region": lambda: zone[:-1],
        "meta-data/mac": lambda: mac,
        "meta-data/services/partition": lambda: "aws",
        "meta-data/network/interfaces/macs": lambda: f"{mac}/",
        f"{ours}/interface-id": lambda: interface["NetworkInterfaceId"],
        f"{ours}/subnet-id": lambda: interface["SubnetId"],
        f"{ours}/vpc-id": lambda: interface["VpcId"],
        f"{ours}/local-ipv4s": lambda: "\n".join([interface["PrivateIpAddress"], *interface.get("_secondary", [])]),
        "user-data": lambda: user_data(instance),
    }
    if role is not None:
        known["meta-data/iam/info"] = lambda: json.dumps({"Code": "Success", **_profile(instance)}, indent=2)
        known["meta-data/iam/security-credentials"] = lambda: role["RoleName"]
        known[f"meta-data/iam/security-credentials/{role['RoleName']}"] = lambda: _credentials(instance, role)
    return str(known[path]()) if path in known else None


def user_data(instance: Record) -> str:
    """The instance's user data, decoded."""
    return base64.b64decode(str(instance.get("UserData") or "")).decode("utf-8")


def _identity(instance: Record, zone: str) -> str:
    document = {
        "accountId": account(),
        "architecture": "x86_64",
        "availabilityZone": zone,
        "imageId": instance["ImageId"],
        "instanceId": instance["InstanceId"],
        "instanceType": instance["InstanceType"],
        "privateIp": instance["PrivateIpAddress"],
        "region": zone[:-1],
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _profile(instance: Record) -> Record:
    profile = instance["IamInstanceProfile"]
    return {"InstanceProfileArn": profile["Arn"], "InstanceProfileId": profile.get("Id", "")}


def _role(instance: Record) -> Record | None:
    arn = (instance.get("IamInstanceProfile") or {}).get("Arn")
    profile = iam._lookup_instance_profile(arn=arn) if arn else None
    if not profile or not profile["Roles"]:
        return None
    first = profile["Roles"][0]
    found: Record | None = iam._roles.get(first if isinstance(first, str) else first["RoleName"])
    return found


def _credentials(instance: Record, role: Record) -> str:
    """Credentials of the role for this instance, registered as those of an AssumeRole are."""
    kept = instance.get("_credentials")
    now = time.time()
    if kept is None or kept["ends"] - now < _RENEWED_BEFORE:
        key = sts._gen_session_access_key()
        kept = {
            "ends": now + _CREDENTIALS_SECONDS,
            "AccessKeyId": key,
            "SecretAccessKey": sts._gen_secret(),
            "Token": sts._gen_session_token(),
        }
        instance["_credentials"] = kept
        session = {
            "Arn": f"arn:aws:sts::{role['Arn'].split(':')[4]}:assumed-role/{role['RoleName']}/{instance['InstanceId']}",
            "UserId": f"{role['RoleId']}:{instance['InstanceId']}",
            "SecretAccessKey": kept["SecretAccessKey"],
            "SessionToken": kept["Token"],
            "Expiration": kept["ends"],
            "AccountId": role["Arn"].split(":")[4],
            "PrincipalType": "AssumedRole",
            "SourceAccessKeyId": "",
            "SourcePrincipalArn": role["Arn"],
            "SessionTags": {},
            "SessionPolicies": None,
        }
        sts.register_session(key, session)
    return json.dumps(
        {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": _utc(kept["ends"] - _CREDENTIALS_SECONDS),
            "AccessKeyId": kept["AccessKeyId"],
            "SecretAccessKey": kept["SecretAccessKey"],
            "Token": kept["Token"],
            "Expiration": _utc(kept["ends"]),
        },
        indent=2,
    )


def _utc(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
