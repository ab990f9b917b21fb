"""Lambdas: few processes stay warm."""

from __future__ import annotations

import pathlib
import time

import pytest
from conftest import Emulator
from functions import function, invoke

#: As in settings.py, which the emulator's process reads.
MOST_WARM = 8


def _alive(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[-1][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.covers("lambda-warm-pool")
def test_only_the_last_used_stay_warm(aws: Emulator) -> None:
    names = [f"warm-{n}" for n in range(MOST_WARM + 3)]
    pids = []
    for name in names:
        function(aws, name, "exports.handler = async () => process.pid;")
        pids.append(int(invoke(aws, name)[0]))
    deadline = time.monotonic() + 10
    while sum(map(_alive, pids)) > MOST_WARM and time.monotonic() < deadline:
        time.sleep(0.05)
    alive = [_alive(pid) for pid in pids]
    assert sum(alive) <= MOST_WARM
    assert alive[-1], "the one used last must stay"
    assert int(invoke(aws, names[-1])[0]) == pids[-1]
    assert int(invoke(aws, names[0])[0]) != pids[0], "an ended one starts anew"
