"""Serving: hypercorn with ministack's application behind ours, and an end within two seconds whatever hangs."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import stat
import threading
import time
from typing import Any

from . import control, hardware
from .emulator import app, lambda_runtime
from .nodes import ingress
from .patches import lambda_environment

#: Real seconds between being told to stop and being gone.
STOP_WITHIN = 1.5
#: Real seconds that the first answer may take.
READY_WITHIN = 30.0


def serve(listener: socket.socket, answers: int) -> None:
    """Serve on the bound socket until told to stop; write the ready line to the file descriptor ``answers``."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    config.shutdown_timeout = 0.5
    config.loglevel = "WARNING"

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask_to_stop() -> None:
            if not stop.is_set():
                threading.Thread(target=_leave_soon, name="drowse-leave", daemon=True).start()
                stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ask_to_stop)
        _watch_stdin(lambda: loop.call_soon_threadsafe(ask_to_stop))
        port = int(os.environ["GATEWAY_PORT"])
        threading.Thread(target=_say_ready, args=(port, answers), name="drowse-ready", daemon=True).start()
        application: Any = control.wrap(app.app)
        await hypercorn_serve(application, config, shutdown_trigger=stop.wait)

    loop = asyncio.new_event_loop()
    # Not asyncio.run: it waits for the threads of the default executor, of which one may hang.
    loop.run_until_complete(run())
    _clean_up()


def kill_lambdas() -> None:
    """End the warm Lambda processes and delete their folders. SIGKILL: they hold nothing worth saving."""
    workers = [worker for pool in list(lambda_runtime._workers.values()) for worker in pool]
    lambda_runtime._workers.clear()
    for worker in workers:
        process: Any = worker._proc
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(timeout=1)
        worker._discard_tmpdir()
    lambda_environment.kill_every_process()


def _clean_up() -> None:
    hardware.current().close()
    kill_lambdas()
    ingress.forget()


def _leave_soon() -> None:
    """The way out when hypercorn's own takes too long, for instance behind a custom resource that never answers."""
    time.sleep(STOP_WITHIN)
    _clean_up()
    os._exit(0)


def _watch_stdin(ended: Any) -> None:
    """Stop when the parent is gone: a pipe on stdin ends with the process that holds its other end, even by SIGKILL.

    A terminal, a file or /dev/null is not watched: that is how to start one that outlives its parent.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def read() -> None:
        while os.read(0, 4096):
            pass
        ended()

    threading.Thread(target=read, name="drowse-stdin", daemon=True).start()


def _say_ready(port: int, answers: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/_ministack/health")
            if connection.getresponse().status == 200:
                line = json.dumps({"ready": True, "port": port, "pid": os.getpid()}, separators=(",", ":"))
                os.write(answers, f"{line}\n".encode())
                os.close(answers)
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
