"""Limits of the system, in processes of their own: a limit that was lowered once stays low."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import resource
from cfgc_runtime.limits import raise_limits
resource.setrlimit(resource.RLIMIT_NOFILE, {before})
resource.setrlimit(resource.RLIMIT_CORE, (4096, 8192))
raise_limits({wanted})
print(*resource.getrlimit(resource.RLIMIT_NOFILE), *resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.covers("cluster.limits.nofile")
@pytest.mark.parametrize(
    ("before", "wanted", "after", "said"),
    [
        ((64, 512), (("nofile", 256),), "256 512 4096 8192", ""),
        ((400, 512), (("nofile", 256),), "400 512 4096 8192", ""),
        ((64, 512), (("nofile", 4096), ("core", 0)), "512 512 0 8192", "nofile is limited to 512"),
        ((64, 512), (("nofile", -1),), "512 512 4096 8192", "the plan asks for no limit"),
    ],
)
def test_a_limit_is_raised_as_far_as_the_site_permits(
    before: tuple[int, int], wanted: tuple[tuple[str, int], ...], after: str, said: str
) -> None:
    script = SCRIPT.format(before=before, wanted=wanted)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, after), done.stderr
    assert said in done.stderr
    assert bool(said) == bool(done.stderr)
