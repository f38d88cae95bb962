"""What an attempt ran on, for run.json: versions, commit, hosts, devices, Slurm's ids. Standard library only.

Only what is named here is written. The environment's variables are not, since they hold secrets.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_SLURM: Final = (
    *("SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_NODELIST", "SLURM_JOB_PARTITION", "SLURM_RESTART_COUNT"),
    *("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_CLUSTER_NAME"),
)
_PACKAGES: Final = (
    *("torch", "deepspeed", "numpy", "transformers", "datasets", "tokenizers", "pyarrow", "safetensors"),
    *("sentencepiece", "triton", "flash_attn"),
)
DISTRIBUTIONS: Final = {"flash_attn": "flash-attn", "mlflow": "mlflow-skinny"}
"""Where modules come from, when that is called otherwise."""

_GIT_PATIENCE_S = 5.0


def describe_start(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """When, where and from which commit an attempt is started."""
    here = Path.cwd()
    facts: dict[str, Any] = {"started": round(time.time(), 3), "host": socket.gethostname(), "directory": str(here)}
    if git := describe_git(here):
        facts["git"] = git
    if slurm := {name.lower(): environment[name] for name in _SLURM if environment.get(name)}:
        facts["slurm"] = slurm
    return facts


def describe_git(directory: Path) -> dict[str, Any]:
    """The commit of ``directory``, and whether files that git knows were changed since; empty where there is none."""
    commit = _git(directory, "rev-parse", "--verify", "HEAD")
    if not commit:
        return {}
    changed = _git(directory, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, **({} if changed is None else {"dirty": bool(changed)})}


def describe_versions(trackers: Collection[str] = ()) -> dict[str, str]:
    """Releases of Python, of the packages that this process has imported, and of ``trackers``, which it will."""
    used = [name for name in _PACKAGES if name in sys.modules]
    found = {name: _release(name, DISTRIBUTIONS.get(name, name)) for name in (*used, *trackers)}
    return {"python": platform.python_version()} | {name: release for name, release in found.items() if release}


def describe_ranks(ranks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The hosts in order of their first rank, each with its ranks and the devices that they have."""
    hosts: dict[str, dict[str, Any]] = {}
    for rank, facts in enumerate(ranks):
        host = hosts.setdefault(facts["host"], {"host": facts["host"], "ranks": [], "devices": []})
        host["ranks"].append(rank)
        host["devices"].append(facts["device"])
    return list(hosts.values())


def describe_rank(device: str) -> dict[str, str]:
    """What this rank runs on."""
    return {"host": socket.gethostname(), "device": device}


def processor() -> str:
    """The name of the machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.machine()


def _git(directory: Path, *words: str) -> str | None:
    """What git says; None when it says nothing, is not here, or takes too long."""
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), "--no-optional-locks", *words],
            capture_output=True,
            check=True,
            text=True,
            errors="replace",
            timeout=_GIT_PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _release(module: str, distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(module), "__version__", ""))
