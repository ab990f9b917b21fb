"""The launcher: settings and environment first, then the patched ministack on 127.0.0.1, then a clean end.

Exit codes: 0 asked to stop (SIGTERM, SIGINT, or the end of stdin when that is a pipe), 2 a wrong setting or a
ministack that the patches do not fit, 3 the port is busy.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import socket
import sys
import tempfile

from . import settings
from .registry import PatchMismatchError

EXIT_SETTING = 2
EXIT_PORT_BUSY = 3


def main() -> int:
    """Run until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="drowse_aws", description="The embedded AWS of drowse, on 127.0.0.1 only.")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes a free one (default)")
    arguments = parser.parse_args()
    try:
        settings.use(settings.Settings.from_environment(os.environ))
    except settings.SettingError as error:
        return _fail(EXIT_SETTING, str(error))
    try:
        listener = _bind(arguments.port)
    except OSError as error:
        reason = "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be bound ({error.strerror})"
        return _fail(EXIT_PORT_BUSY, f"port {arguments.port} on 127.0.0.1 {reason}: choose another, or stop its user")
    port = int(listener.getsockname()[1])
    answers = _claim_stdout()
    tmpdir, ours = _temporary_folder()
    environment = settings.current().ministack_environment(port, tmpdir)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = tmpdir
    try:
        # Imported only now: ministack reads its environment while it is being imported.
        from . import registry, server

        registry.apply()
        server.serve(listener, answers)
    except PatchMismatchError as error:
        return _fail(EXIT_SETTING, str(error))
    finally:
        if ours:
            shutil.rmtree(tmpdir, ignore_errors=True)
    return 0


def _bind(port: int) -> socket.socket:
    """The listening socket itself, so that nobody can take the port between a check and its use."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _claim_stdout() -> int:
    """Keep stdout for the ready line alone: whatever ministack prints goes to stderr."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _temporary_folder() -> tuple[str, bool]:
    """The folder for temporary files, and whether it is ours to delete."""
    given = settings.current().tmpdir
    if given:
        os.makedirs(given, exist_ok=True)
        return os.path.abspath(given), False
    return tempfile.mkdtemp(prefix="drowse-aws-"), True


def _fail(code: int, message: str) -> int:
    print(f"drowse_aws: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.stdout.flush()
    code = main()
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads, and a hung custom resource or Lambda holds one for ever.
    os._exit(code)
