"""Command documents, run for real: what the SSM agent does with aws:runShellScript."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
import uuid

from .. import settings
from ..emulator import Record
from ..hardware import Output, Run
from ..patches import ssm_documents
from .machine import Machine

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
#: Real seconds between two looks whether a command has ended.
_POLL = 0.05
_DEFAULT_TIMEOUT = 3600.0
#: The script on its standard input, kept where the agent keeps it, in a unit of its own, to be stopped as a whole.
_RUNNER = """
mkdir -p "$1" && cat >"$1/_script.sh" &&
exec systemd-run --quiet --pipe --wait --collect --unit="$2" --setenv=HOME=/root sh "$1/_script.sh" </dev/null
"""


def script_of(document: str, parameters: dict[str, str]) -> tuple[str, float]:
    """The shell script that a document means, and the seconds that it may take."""
    if document in ssm_documents.AWS_OWNED:
        return parameters.get("commands", ""), float(parameters.get("executionTimeout", _DEFAULT_TIMEOUT))
    found = ssm_documents.get(document)
    content: Record = found["Versions"][int(found["DefaultVersion"]) - 1]["Parsed"]
    inputs: Record = content["mainSteps"][0]["inputs"]
    lines = [_filled(str(line), parameters) for line in inputs["runCommand"]]
    return "\n".join(lines), float(_filled(str(inputs.get("timeoutSeconds", _DEFAULT_TIMEOUT)), parameters))


def _filled(text: str, parameters: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: parameters.get(match[1], match[0]), text)


def run(machine: Machine, document: str, parameters: dict[str, str]) -> Run:
    """Run a document's script on a machine; closing the generator stops it."""
    script, seconds = script_of(document, parameters)
    unit = f"ssm-{uuid.uuid4()}"
    poll = _POLL * settings.current().speedup
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        runner = ["sh", "-c", _RUNNER, "sh", f"/var/lib/amazon/ssm/{unit}", unit]
        process = machine.execute(runner, subprocess.PIPE, stdout.fileno(), stderr.fileno())
        try:
            if process.stdin is not None:
                process.stdin.write(f"{script}\n".encode())
                process.stdin.close()
            ends = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < ends:
                yield poll
        except BrokenPipeError:
            process.wait()
        finally:
            if process.poll() is None:
                machine.execute(["systemctl", "stop", unit]).wait()
                process.kill()
                process.wait()
        stdout.seek(0)
        stderr.seek(0)
        return Output(
            stdout.read().decode(errors="replace"), stderr.read().decode(errors="replace"), process.returncode
        )
