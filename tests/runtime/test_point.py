"""A point of a sweep: what the runtime applies is what the compiler would have made of the point alone."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.config import load_config
from cfgc_runtime.errors import BAD_BUNDLE, CANNOT_WRITE, USAGE, Failure
from cfgc_runtime.identity import read_identity
from cfgc_runtime.manifest import read_manifest, verify_bundle
from cfgc_runtime.point import patched, point_of, read_ds_config, read_points, read_text
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.sharing import select_point
from cfgc_runtime.values import read_values
from cfgc_runtime.wiring import NAME as WIRING

SPEC = """
extends = "cfgc:bases/tiny.toml"

[experiment]
name = "swept"

[overlays]
hardware = "cpu"

[training]
max_steps = 1000

[[data.sources]]
name = "one"
path = "text"

[[data.sources]]
name = "two"
path = "more"

[launch]
gpus_per_node = 2

[sweep]
method = "list"
"""
POINTS = (
    '{ "training.learning_rate" = 2e-3 }',
    '{ "training.learning_rate" = 5e-3, training.warmup_steps = "${training.max_steps // 20}", zero = "2" }',
    '{ training.optimizer.type = "sgd", training.optimizer.momentum = 0.5 }',
    '{ training.scheduler = { type = "step", step_size = 100, gamma = 0.5 } }',
    '{ training.optimizer.betas = [0.9, 0.99], training.precision = "fp32", experiment.tags = ["a", "b"] }',
    "{ model.num_kv_heads = 1, evaluation.every_steps = 100, training.early_stopping.patience = 2 }",
    "{ data.mixing = { enabled = true, temperature = 1.0 }, data.sources = [SOURCES] }".replace(
        "SOURCES", '{ name = "one", path = "text", weight = 2.0 }, { name = "two", path = "more", weight = 1.0 }'
    ),
)


def write(directory: Path, text: str, *overrides: str, name: str = "bundle") -> Path:
    reader = MemoryReader({"spec.toml": text}, DiskReader(directory, shipped_dir("specs")))
    write_bundle(compile_spec(reader, "spec.toml", overrides), directory / name)
    return directory / name


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    points = ",\n  ".join(POINTS)
    return write(tmp_path_factory.mktemp("swept"), f"{SPEC}points = [\n  {points}\n]\n")


def taken(bundle: Path, directory: Path, index: int) -> RunDirectory:
    """The run directory of a point."""
    run = RunDirectory(directory / "run" / "points" / f"{index:04d}")
    select_point(bundle, run, index)
    return run


def constants(bundle: Path) -> dict[str, str]:
    """config.py, classes included, as text."""
    return {name: repr(value) for name, value in vars(load_config(bundle / "config.py")).items() if name.isupper()}


@pytest.mark.parametrize("index", range(len(POINTS)))
def test_a_point_is_what_its_overrides_compile_to(swept: Path, tmp_path: Path, index: int) -> None:
    run = taken(swept, tmp_path, index)
    point = point_of(run.bundle)
    assert point
    single = SPEC.partition("[sweep]")[0]
    alone = write(tmp_path, single, *point.overrides, name="alone")
    assert constants(run.bundle) == constants(alone)
    assert read_ds_config(run.bundle) == read_ds_config(alone)
    assert read_values(run.bundle) == read_values(alone)
    assert read_manifest(run.bundle).plan_digest == read_manifest(alone).plan_digest
    assert constants(swept) == constants(taken(swept, tmp_path, 0).bundle)


def test_what_is_applied_is_frozen(swept: Path, tmp_path: Path) -> None:
    config: Any = load_config(taken(swept, tmp_path, 1).bundle / "config.py")
    with pytest.raises(AttributeError, match="frozen"):
        config.SCHEDULE.learning_rate = 1.0


def test_calls_of_own_code_are_the_points_own(tmp_path: Path) -> None:
    text = '[experiment]\nname = "t"\n[overlays]\nhardware = "cpu"\n[task]\ntarget = "mine:main"\n'
    text += (
        '[task.arguments]\nrate = 0.1\n[sweep]\nmethod = "grid"\n[sweep.parameters]\ntask.arguments.rate = [0.1, 0.2]\n'
    )
    bundle = write(tmp_path, text)
    first, second = (read_text(taken(bundle, tmp_path, index).bundle, WIRING) for index in (0, 1))
    assert first == (bundle / WIRING).read_bytes()
    assert second == (first or b"").replace(b"rate=0.1", b"rate=0.2") != first


def test_all_points_share_one_copy_of_the_bundle(swept: Path, tmp_path: Path) -> None:
    runs = [taken(swept, tmp_path, index) for index in (0, 3)]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["bundle", "points"]
    assert all(run.bundle.samefile(tmp_path / "run" / "bundle") for run in runs)
    assert len({read_identity(run).id for run in runs}) == 2
    verify_bundle(runs[0].bundle)


def test_many_points_that_start_at_once_make_one_copy(swept: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=taken, args=(swept, tmp_path, index)) for index in range(6)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0] * 6
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["bundle", "points"]
    verify_bundle(tmp_path / "run" / "bundle")


def test_another_sweep_is_refused_and_the_same_one_is_not(swept: Path, tmp_path: Path) -> None:
    taken(swept, tmp_path, 0)
    shutil.copytree(swept, tmp_path / "again")
    taken(tmp_path / "again", tmp_path, 1)
    other = write(tmp_path, f"{SPEC}points = [{POINTS[0]}, {POINTS[2]}]\n", name="other")
    with pytest.raises(Failure, match="belongs to another sweep") as refused:
        taken(other, tmp_path, 1)
    assert refused.value.code == BAD_BUNDLE


def test_a_point_that_was_edited_is_refused(swept: Path, tmp_path: Path) -> None:
    run = taken(swept, tmp_path, 1)
    own = run.root / "point.json"
    own.write_text(own.read_text().replace("0.005", "0.006"))
    with pytest.raises(Failure, match="is not the line of point 1"):
        select_point(swept, run, 1)


@pytest.mark.parametrize(("index", "why"), [(7, "there is no point 7"), (2, "belongs into points/0002")])
def test_a_point_that_is_not_there_is_a_usage_error(swept: Path, tmp_path: Path, index: int, why: str) -> None:
    with pytest.raises(Failure, match=why) as refused:
        select_point(swept, RunDirectory(tmp_path / "run" / "points" / "0001"), index)
    assert refused.value.code == USAGE
    assert not (tmp_path / "run").exists()


def test_a_directory_that_cannot_be_made_is_said(swept: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "points").write_text("in the way")
    with pytest.raises(Failure) as refused:
        taken(swept, tmp_path, 1)
    assert refused.value.code == CANNOT_WRITE


def test_a_damaged_list_is_refused(swept: Path, tmp_path: Path) -> None:
    assert len(read_points(swept)) == len(POINTS)
    assert read_points(tmp_path) == []
    (tmp_path / "points.jsonl").write_text('{"index": 0}\n')
    with pytest.raises(Failure, match="holds no point"):
        read_points(tmp_path)


def test_a_patch_merges_tables_and_removes_nulls() -> None:
    old = {"a": {"b": 1, "c": [1, 2]}, "d": 4}
    assert patched(old, {"a": {"b": None, "c": [3]}, "e": {"f": None, "g": 1}}) == {
        "a": {"c": [3]},
        "d": 4,
        "e": {"g": 1},
    }
    assert old == {"a": {"b": 1, "c": [1, 2]}, "d": 4}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "this is a sweep of 7 points; name some"),
        (("--points", "7"), "there is no point 7: they go from 0 to 6"),
        (("--points=2,a"), "a is no point and no range of points"),
        (("--points", "4-2"), "there is no point in 4-2"),
        (("--point",), "--point needs numbers of points"),
    ],
)
def test_launch_says_which_points_there_are(
    swept: Path, tmp_path: Path, words: tuple[str, ...] | str, why: str
) -> None:
    given = [words] if isinstance(words, str) else words
    done = subprocess.run(
        [swept / "launch.sh", *given],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, why in done.stderr) == (USAGE, True), done.stderr
