"""One emulator for the whole run, on a free port, and botocore clients for it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "local" / "aws"
sys.path.insert(0, str(PACKAGE))

REGION = "eu-west-1"
ACCOUNT = "123456789012"
#: Simulated seconds per real one in these tests: a boot of half a minute takes 60 ms.
SPEEDUP = 500
NODE = ROOT / "node_modules" / ".bin" / "node"


def environment(tmpdir: pathlib.Path, **more: str) -> dict[str, str]:
    """The environment of an emulator."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PACKAGE),
        "DROWSE_TMPDIR": str(tmpdir),
        "DROWSE_SPEEDUP": str(SPEEDUP),
        "DROWSE_NODE": str(NODE) if NODE.exists() else "node",
        "AWS_REGION": REGION,
        "SFN_WAIT_SCALE": "0.01",
        # prove_patches.py runs tests without the patch that they cover.
        "DROWSE_WITHOUT": os.environ.get("DROWSE_WITHOUT", ""),
        **more,
    }


def start(env: dict[str, str], *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start an emulator process."""
    command = [sys.executable, "-m", "drowse_aws", *arguments]
    given = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(command, env=env, **given)


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The ready line of a process."""
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


class Emulator:
    """A running emulator."""

    def __init__(self, port: int, key: str = ACCOUNT, secret: str = "test") -> None:
        self._credentials = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        self.endpoint = f"http://127.0.0.1:{port}"
        self._session = botocore.session.Session()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A botocore client; botocore is untyped, hence Any."""
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service,
                region_name=REGION,
                endpoint_url=self.endpoint,
                **self._credentials,
                config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Call the control endpoint."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_drowse/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def deploy(self, name: str, resources: dict[str, Any], **more: Any) -> dict[str, str]:
        """Create a stack; its outputs."""
        cloudformation = self.client("cloudformation")
        body = json.dumps({"Resources": resources, **more})
        cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self.settled(name, "CREATE_COMPLETE")

    def redeploy(self, name: str, resources: dict[str, Any], **more: Any) -> dict[str, str]:
        """Update a stack; its outputs."""
        body = json.dumps({"Resources": resources, **more})
        self.client("cloudformation").update_stack(StackName=name, TemplateBody=body)
        return self.settled(name, "UPDATE_COMPLETE")

    def destroy(self, name: str) -> None:
        """Delete a stack and wait until it is gone."""
        cloudformation = self.client("cloudformation")
        stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=name)
        self.settled(stack_id, "DELETE_COMPLETE")

    def settled(self, name: str, wanted: str) -> dict[str, str]:
        """Wait until a stack is in a state; its outputs."""
        cloudformation = self.client("cloudformation")

        def over() -> Any:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        stack = eventually(over)
        if stack["StackStatus"] != wanted:
            events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            reasons = [e["ResourceStatusReason"] for e in events if e.get("ResourceStatusReason")]
            pytest.fail(f"{name} is {stack['StackStatus']}: {reasons}")
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def eventually(look: Callable[[], Any], within: float = 120.0, every: float = 0.02) -> Any:
    """The first true value of ``look``; fails after so many real seconds."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {within} s; last seen: {found!r}")
        time.sleep(every)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator of this run."""
    process = start(environment(tmp_path_factory.mktemp("aws")))
    try:
        yield Emulator(ready(process)["port"])
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Faults of one test never reach the next."""
    yield
    if "aws" in request.fixturenames:
        request.getfixturevalue("aws").control("faults", method="DELETE")
