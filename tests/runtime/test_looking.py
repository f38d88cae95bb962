"""What submit.sh finds in a run directory before it queues anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc_runtime.bundle_copy import take_bundle
from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.looking import look
from cfgc_runtime.manifest import read_manifest
from cfgc_runtime.point import read_points
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.sharing import select_point
from tests.runtime.bundles import compile_tiny

SWEEP = ('sweep.method="grid"', "sweep.parameters.training.learning_rate=[1e-3, 2e-3, 3e-3]")


def started(bundle: Path, directory: Path) -> RunDirectory:
    run = RunDirectory(directory)
    run.root.mkdir()
    take_bundle(bundle, run, read_manifest(bundle))
    return run


def test_a_run_that_may_go_on_is_none_of_its_business(tmp_path: Path) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    assert look(bundle, RunDirectory(tmp_path / "run")) == ""
    assert not (tmp_path / "run").exists()
    assert look(bundle, started(bundle, tmp_path / "run")) == ""


def test_a_finished_run_is_said_also_when_only_logistics_changed(tmp_path: Path) -> None:
    bundle = compile_tiny(tmp_path / "bundle")
    run = started(bundle, tmp_path / "run")
    run.write_finished(read_manifest(bundle).plan_digest, 1.0)
    later = compile_tiny(tmp_path / "later", "launch.max_attempts=7")
    assert look(bundle, run) == look(later, run) == "tiny is already finished; nothing to do"


def test_a_run_of_other_values_is_refused(tmp_path: Path) -> None:
    run = started(compile_tiny(tmp_path / "bundle"), tmp_path / "run")
    with pytest.raises(
        Failure, match=r"trains with other values.*\n.*training\.seed|training\.learning_rate"
    ) as caught:
        look(compile_tiny(tmp_path / "other", "training.learning_rate=0.5"), run)
    assert caught.value.code == BAD_BUNDLE


def test_points_are_looked_at_one_by_one(tmp_path: Path) -> None:
    bundle, sweep = compile_tiny(tmp_path / "bundle", *SWEEP), RunDirectory(tmp_path / "run")
    assert look(bundle, sweep, "0-2") == ""
    for point in read_points(bundle)[:2]:
        run = RunDirectory(sweep.root / "points" / point.name)
        select_point(bundle, run, point.index)
        run.write_finished(point.plan_digest, 1.0)
    assert look(bundle, sweep, "0-2") == ""
    assert look(bundle, sweep, "0,1") == "all of these points have already finished (0,1); nothing to do"
    with pytest.raises(Failure, match="belongs to another sweep"):
        look(compile_tiny(tmp_path / "other", *SWEEP, "training.max_steps=7"), sweep, "2")
