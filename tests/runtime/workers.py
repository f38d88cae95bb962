"""Modules of these tests in processes of their own, which import this tree."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.runtime.bundles import HERE, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BARE = {"PATH": "/usr/bin:/bin"}


def run_worker(
    module: str,
    directory: Path,
    *names: str,
    ranks: int = 0,
    base: Mapping[str, str] = _BARE,
    wait_s: float = WAIT_S,
    **environment: str,
) -> str:
    """What ``module`` prints when it is run in ``directory``: by torchrun with so many ``ranks``, or as it is.

    ``directory`` and ``names`` are its arguments; ``environment`` comes on top of ``base``.
    """
    root = HERE.parents[1]
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks else []
    fixed = {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}
    fixed["PYTHONPATH"] = f"{root}:{root / 'runtime'}:{root / 'compiler'}"
    done = subprocess.run(
        [sys.executable, *launcher, "-m", module, str(directory), *names],
        cwd=directory,
        env={**base, **fixed, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=wait_s,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout
