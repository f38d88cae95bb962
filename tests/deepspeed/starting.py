"""Scripts of this folder in processes of their own: what they do to the real engine must not stay in the tests'."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def with_torchrun(ranks: int, script: str, configs: object, folder: Path) -> Any:
    """What ``script`` writes about ``configs``, run by torchrun with ``ranks`` ranks."""
    return _written(
        ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", script], configs, folder
    )


def alone(script: str, configs: object, folder: Path, port: int) -> Any:
    """The same as the only rank, without torchrun."""
    rank = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return _written([script], configs, folder, **rank)


def _written(command: list[str], configs: object, folder: Path, **environment: str) -> Any:
    given, written = folder / "configs.json", folder / "written.json"
    given.write_text(json.dumps(configs))
    fixed = {
        "DS_ACCELERATOR": "cpu",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        # torch waits for ever where a build was killed, so builds are kept for these tests alone
        "TORCH_EXTENSIONS_DIR": str(folder.parent / "torch_extensions"),
    }
    done = subprocess.run(
        [sys.executable, *command, str(given), str(written)],
        cwd=HERE,
        env={**os.environ, **fixed, **environment},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(written.read_text())
