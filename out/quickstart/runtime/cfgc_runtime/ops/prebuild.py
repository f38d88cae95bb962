"""Build the ops of the plan once on a node, before its ranks start. Standard library only, up to the builder itself."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TextIO

from cfgc_runtime.attempt import shell_code
from cfgc_runtime.errors import WRONG_WORLD, Failure, tell
from cfgc_runtime.ops.cache import OpsCache, open_cache
from cfgc_runtime.outcome import tail
from cfgc_runtime.rundir import expand
from cfgc_runtime.signals import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cfgc_runtime.attempt import Attempt
    from cfgc_runtime.config import Launch
    from cfgc_runtime.rundir import RunDirectory
    from cfgc_runtime.signals import StopRequest

BUILDERS: Final = {
    "async_io": "AsyncIOBuilder",
    "cpu_adagrad": "CPUAdagradBuilder",
    "cpu_adam": "CPUAdamBuilder",
    "cpu_lion": "CPULionBuilder",
    "fused_adam": "FusedAdamBuilder",
    "fused_lamb": "FusedLambBuilder",
    "fused_lion": "FusedLionBuilder",
    "quantizer": "QuantizerBuilder",
}
"""What makes each op, by DeepSpeed's names."""

_POLL_S: Final = 0.2


@contextmanager
def built_ops(
    bundle: Path, launch: Launch, run: RunDirectory, attempt: Attempt, node_rank: int, stop: StopRequest
) -> Iterator[tuple[Mapping[str, str], Path]]:
    """Variables for the ranks of this node, and its own directory, once what the plan needs is built.

    One call a node and attempt. Raises ``Failure`` when an op cannot be built here.
    """
    cache = open_cache(expand(launch.ops_cache))
    with cache.copy(_name(run, attempt, node_rank)) as place:
        if launch.ops:
            _build(bundle, cache, place, launch.ops, attempt.log(f"ops-{node_rank}"), stop)
        yield cache.environment(place), place


def find_ops(launch: Launch, run: RunDirectory, attempt: Attempt, node_rank: int) -> tuple[Mapping[str, str], Path]:
    """What ``built_ops`` gave the one that called it on this node."""
    cache = open_cache(expand(launch.ops_cache))
    place = cache.place(_name(run, attempt, node_rank))
    return cache.environment(place), place


def _name(run: RunDirectory, attempt: Attempt, node_rank: int) -> str:
    whose = hashlib.sha256(os.fsencode(run.root)).hexdigest()[:12]
    return f"{whose}-{attempt.path.name}-{node_rank}"


def _build(bundle: Path, cache: OpsCache, place: Path, ops: Sequence[str], log: Path, stop: StopRequest) -> None:
    """Build what is missing in ``place`` and keep it; another run that builds the same is waited for."""
    with cache.building.open("w") as lock:
        while not (missing := [op for op in ops if not cache.has(op)]) or not _try(lock):
            if not missing or stop.requested:
                return cache.fill(place)
            time.sleep(_POLL_S)
        cache.fill(place)
        what = f"DeepSpeed's {', '.join(missing)}"
        tell(f"building {what} for this node: minutes; later starts find it in {cache.path}")
        command = [sys.executable, "-B", str(bundle / "runtime"), "build", *missing]
        code = _run(command, cache.environment(place), log, stop)
        if stop.requested:
            return None
        if code:
            raise Failure(
                WRONG_WORLD,
                f"{what} cannot be built on this node (exit code {code}):\n{tail(log)}\nlog: {log}",
            )
        cache.keep(place)
        for op in missing:
            cache.note(op, place)
    return None


def _try(lock: TextIO) -> bool:
    """Whether this process builds now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run(command: Sequence[str], variables: Mapping[str, str], log: Path, stop: StopRequest) -> int:
    """The exit code of ``command``; it is ended when the run is asked to stop."""
    with log.open("wb") as file:
        child = subprocess.Popen(
            command,
            env=os.environ | variables,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, signal.SIGKILL),  # noqa: PLW1509 - no threads here
        )
    while True:
        try:
            return shell_code(child.wait(_POLL_S))
        except subprocess.TimeoutExpired:
            if stop.requested:
                os.killpg(child.pid, signal.SIGKILL)


def build_ops(names: Sequence[str]) -> str:
    """Build each op that is not here, with DeepSpeed's own builders, where ``TORCH_EXTENSIONS_DIR`` says."""
    from deepspeed.accelerator import get_accelerator

    accelerator: Any = get_accelerator()
    for name in names:
        builder = accelerator.create_op_builder(BUILDERS[name])
        if builder is None:
            raise Failure(WRONG_WORLD, f"DeepSpeed has no {name} for this device")
        builder.load(verbose=False)
    return f"built or found: {', '.join(names)}"
