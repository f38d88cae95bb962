"""A command as somebody who may not read everything: the suite itself may run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_CAPABILITIES = "-dac_override,-dac_read_search"


def unprivileged(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """What ``command`` says where modes hold for it; skips the test where root cannot give its rights away."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and there is no setpriv")
        command = ["setpriv", f"--bounding-set={_CAPABILITIES}", "--inh-caps=-all", *command]
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)
