"""Give a run directory its own copy of the bundle, once, and open an attempt. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgc_runtime.attempt import create_attempt, real_attempts
from cfgc_runtime.bundle_copy import changes_since, take_bundle
from cfgc_runtime.config import load_config
from cfgc_runtime.environment import describe_start
from cfgc_runtime.errors import FULL, LOST_PEER, describe_os_error
from cfgc_runtime.hosts import record_hosts
from cfgc_runtime.identity import record_attempt
from cfgc_runtime.inputs import KEY, check_inputs, read_inputs
from cfgc_runtime.lock import alone, wait_until_free
from cfgc_runtime.manifest import DELETE, REBUILD, Manifest, verify_bundle
from cfgc_runtime.preflight.finding import settle
from cfgc_runtime.preflight.node import check_node
from cfgc_runtime.preflight.space import unwritable
from cfgc_runtime.retry import newest_step, refuse_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cfgc_runtime.config import Config
    from cfgc_runtime.rundir import RunDirectory

_LEFTOVERS_S: Final = 60.0


def stage_bundle(bundle: Path, run: RunDirectory, hosts: Sequence[str] = (), *, automatic: bool = False) -> str:
    """Prepare the next attempt, on ``hosts`` where somebody knows them, and say what it will do, in one line.

    The first attempt copies ``bundle`` to ``run.bundle``; later ones use that copy, so that a rebuild cannot change
    a run half way. A bundle of another plan takes its place when it trains the same way. Raises ``Failure`` when
    either is damaged, when the plan trains otherwise, when an earlier stage made something else since, when this run is
    alive, or when this machine lacks what the bundle needs; nothing has changed then. An ``automatic`` start, which
    nobody asked for, is also refused when it is one too many.
    """
    is_copy = run.bundle.exists() and bundle.samefile(run.bundle)
    manifest = verify_bundle(bundle, DELETE if is_copy else REBUILD)
    if has_finished(bundle, run, manifest):
        return already_finished(manifest)
    config = load_config(bundle / "config.py")
    if automatic:
        refuse_start(run, config)
        _end_leftovers(run, config.TOPOLOGY.world_size)
    settle(check_node(bundle, config, run))
    try:
        run.root.mkdir(parents=True, exist_ok=True)
        with alone(run):
            return _open(bundle, run, manifest, config, hosts)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise unwritable(run.root, describe_os_error(error, run.root)) from None


def _end_leftovers(run: RunDirectory, ranks: int) -> None:
    """Ranks of an attempt that Slurm gave up may live on, on a node that it cannot reach, and hold the run directory.

    What is written here tells their supervisors to end them.
    """
    for attempt in real_attempts(run)[-1:]:
        for rank in sorted(set(range(ranks)) - {end.rank for end in attempt.exits()}):
            attempt.record_exit(rank, LOST_PEER, "nothing was heard of it before the run was started again")
    wait_until_free(run, _LEFTOVERS_S)


def already_finished(manifest: Manifest) -> str:
    """The line that says so."""
    return f"{manifest.experiment} is already finished; nothing to do"


def has_finished(bundle: Path, run: RunDirectory, manifest: Manifest) -> bool:
    """Whether the run reached its end with what ``bundle`` means. Raises ``Failure`` when it trains otherwise."""
    if not run.bundle.exists():
        return False
    changes, staged = changes_since(bundle, run, manifest)
    same = all(one.kind != "numerics" for one in changes)
    return same and run.read_finished(staged.plan_digest) is not None


def _open(bundle: Path, run: RunDirectory, manifest: Manifest, config: Config, hosts: Sequence[str]) -> str:
    """Copy the bundle unless that was done, and create an attempt."""
    inputs = read_inputs(run, config)
    note = check_inputs(run, config, inputs) + take_bundle(bundle, run, manifest)
    attempt = create_attempt(run, newest_step(run))
    record_hosts(attempt, hosts)
    record_attempt(run, int(attempt.path.name), {**describe_start(), **({KEY: inputs} if inputs else {})})
    damaged = run.finished.exists() and run.read_finished(manifest.plan_digest) is None
    note += f" · {run.finished.name} is damaged and ignored" if damaged else ""
    return f"{manifest.experiment} attempt {int(attempt.path.name)} in {run.root}{note}"
