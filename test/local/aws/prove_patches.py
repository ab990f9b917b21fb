"""Show that each patch is needed: leave it out, run the tests that cover it, and expect at least one to fail.

Not part of the test run (a start of the emulator for each patch takes minutes)::

    python test/local/aws/prove_patches.py [patch …]

Exits with 1 and names the patches whose tests pass without them.
"""

from __future__ import annotations

import os
import subprocess
import sys

from conftest import ROOT
from test_registry import covered


def passes_without(patch: str, tests: list[str]) -> bool:
    """Whether all tests pass while the patch is left out."""
    command = [sys.executable, "-m", "pytest", "-c", "local/aws/pyproject.toml", "--rootdir", ".", "-x"]
    done = subprocess.run(
        [*command, *(f"test/local/aws/{test}" for test in tests)],
        cwd=ROOT,
        env={**os.environ, "DROWSE_WITHOUT": patch},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def main() -> int:
    """Prove the named patches, or all."""
    tests = covered()
    needless = []
    for patch in sys.argv[1:] or sorted(tests):
        needed = not passes_without(patch, tests[patch])
        print(f"{'needed  ' if needed else 'NEEDLESS'} {patch}", flush=True)
        if not needed:
            needless.append(patch)
    return 1 if needless else 0


if __name__ == "__main__":
    sys.exit(main())
