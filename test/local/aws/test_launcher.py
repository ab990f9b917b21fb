"""Starting and stopping: one ready line, 127.0.0.1 only, nothing left behind."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Emulator, environment, eventually, ready, start
from functions import function


@pytest.fixture
def tmpdir(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "emulator"


@pytest.fixture
def process(tmpdir: pathlib.Path) -> Iterator[subprocess.Popen[str]]:
    one = start(environment(tmpdir), stderr=subprocess.PIPE)
    yield one
    if one.poll() is None:
        one.kill()
    one.wait(timeout=60)


def children(pid: int) -> list[int]:
    """Live child processes."""
    path = pathlib.Path(f"/proc/{pid}/task")
    found: list[int] = []
    for thread in path.iterdir():
        found += [int(one) for one in (thread / "children").read_text().split()]
    return [one for one in found if alive(one)]


def alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def hang(aws: Emulator) -> None:
    """A stack that waits for a Lambda that never answers."""
    arn = function(aws, "hangs", "exports.handler = () => new Promise(() => setInterval(() => 0, 1000));", timeout=300)
    resource = {"Type": "Custom::Hang", "Properties": {"ServiceToken": arn}}
    body = json.dumps({"Resources": {"Hang": resource}})
    aws.client("cloudformation").create_stack(StackName="hang", TemplateBody=body)


def test_it_says_when_it_is_ready(process: subprocess.Popen[str]) -> None:
    line = ready(process)
    assert line == {"ready": True, "port": line["port"], "pid": process.pid}
    Emulator(line["port"]).client("sts").get_caller_identity()
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert process.stdout is not None
    assert process.stdout.read() == ""


def test_it_binds_this_machine_only(process: subprocess.Popen[str]) -> None:
    port = ready(process)["port"]
    listening = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [entry[1] for entry in listening if entry[3] == "0A" and entry[1].endswith(f":{port:04X}")]
    assert addresses == [f"0100007F:{port:04X}"]
    links = {os.readlink(link) for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir() if link.is_symlink()}
    held = [entry[1] for entry in listening if entry[3] == "0A" and f"socket:[{entry[9]}]" in links]
    assert len(held) == 2, "its own port, the ingress' port, and no other"
    assert [address for address in held if not address.startswith("0100007F:")] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_two_seconds_whatever_hangs(
    process: subprocess.Popen[str], tmpdir: pathlib.Path, number: signal.Signals
) -> None:
    hang(Emulator(ready(process)["port"]))
    lambdas = eventually(lambda: children(process.pid))
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    assert time.monotonic() - began < 2.5
    assert not [pid for pid in lambdas if alive(pid)]
    assert list(tmpdir.iterdir()) == []


def test_it_ends_with_its_parent(process: subprocess.Popen[str]) -> None:
    ready(process)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_without_a_pipe_it_outlives_its_parent(tmpdir: pathlib.Path) -> None:
    one = start(environment(tmpdir), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ready(one)
    time.sleep(0.3)
    assert one.poll() is None
    one.terminate()
    assert one.wait(timeout=60) == 0


def test_lambdas_end_even_after_a_kill(process: subprocess.Popen[str]) -> None:
    hang(Emulator(ready(process)["port"]))
    lambdas = eventually(lambda: children(process.pid))
    process.kill()
    process.wait(timeout=60)
    eventually(lambda: not [pid for pid in lambdas if alive(pid)])


def test_its_own_temporary_folder_goes_with_it(tmp_path: pathlib.Path) -> None:
    env = {**environment(tmp_path), "TMPDIR": str(tmp_path)}
    del env["DROWSE_TMPDIR"]
    one = start(env, stderr=subprocess.DEVNULL)
    function(Emulator(ready(one)["port"]), "one", "exports.handler = async () => 1;")
    assert [path.name.startswith("drowse-aws-") for path in tmp_path.iterdir()] == [True]
    one.terminate()
    assert one.wait(timeout=60) == 0
    assert list(tmp_path.iterdir()) == []


def failed(tmpdir: pathlib.Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and stderr of an emulator that does not start."""
    one = start(environment(tmpdir, **env), *arguments, stderr=subprocess.PIPE)
    _, stderr = one.communicate(timeout=60)
    return one.returncode, stderr


def test_a_busy_port_is_one_clear_line(tmpdir: pathlib.Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, stderr = failed(tmpdir, "--port", str(port))
    assert code == 3
    assert stderr == (f"drowse_aws: port {port} on 127.0.0.1 is already in use: choose another, or stop its user\n")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DROWSE_SPEEDUP", "fast", "DROWSE_SPEEDUP is 'fast'; it must be a number greater than 0"),
        ("DROWSE_SPEEDUP", "0", "DROWSE_SPEEDUP is '0'"),
        ("DROWSE_ACCOUNT", "12", "an AWS account has 12 digits"),
        ("DROWSE_LOG_LEVEL", "loud", "allowed: DEBUG, INFO, WARNING, ERROR"),
        ("DROWSE_WITHOUT", "no-such-patch", "'no-such-patch', which is not a patch"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(tmpdir: pathlib.Path, variable: str, value: str, words: str) -> None:
    code, stderr = failed(tmpdir, **{variable: value})
    assert code == 2
    assert words in stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("drowse_aws.MINISTACK_VERSION = '1.5.34'", "ministack 1.5.33 is installed, the patches are for 1.5.34"),
        (
            "import ministack.services.ec2 as ec2; del ec2._launch_instances_internal",
            "ministack.services.ec2._launch_instances_internal is gone, which patch 'ec2-instance-placement' leans on",
        ),
    ],
)
def test_another_ministack_is_refused(tmpdir: pathlib.Path, change: str, words: str) -> None:
    """As if the installed package were another: the change is made before the launcher runs."""
    code = f"import drowse_aws; {change}; import runpy; runpy.run_module('drowse_aws', run_name='__main__')"
    env = environment(tmpdir)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stderr
    assert words in done.stderr


def test_the_caller_environment_stays_outside(tmpdir: pathlib.Path) -> None:
    env = environment(tmpdir, AWS_PROFILE="production", AWS_SECRET_ACCESS_KEY="real", BIND_HOST="0.0.0.0", SECRET="1")
    one = start(env, stderr=subprocess.DEVNULL)
    aws = Emulator(ready(one)["port"])
    function(aws, "env", "exports.handler = async () => process.env;")
    variables: dict[str, Any] = json.loads(aws.client("lambda").invoke(FunctionName="env")["Payload"].read())
    assert variables["AWS_SECRET_ACCESS_KEY"] != "real"
    assert not {"SECRET", "AWS_PROFILE", "BIND_HOST"} & set(variables)
    one.terminate()
    one.wait(timeout=60)
