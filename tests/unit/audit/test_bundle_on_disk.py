"""A bundle as data, wherever it lies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePosixPath

import pytest

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_at, bundle_in_memory, read_bundle
from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.point import LIST
from cfgc_runtime.values import KINDS

GOLDEN = Path(__file__).parents[2] / "golden"


def compiled(case: str) -> Bundle:
    return compile_spec(DiskReader(GOLDEN / case, shipped_dir("specs")), "spec.toml")


@pytest.fixture(scope="module")
def run() -> Bundle:
    return compiled("cpu-zero2")


def test_in_memory_and_on_disk_are_the_same_data(run: Bundle, tmp_path: Path) -> None:
    write_bundle(run, tmp_path / "bundle")
    there, here = bundle_at(tmp_path / "bundle"), bundle_in_memory(run, "spec.toml")
    assert dict(there.files) == dict(here.files)
    assert there.values == here.values
    assert there.origins == here.origins
    assert there.inputs == here.inputs
    assert there.plan_digest == here.plan_digest
    assert not there.points
    assert not there.stages


def test_every_value_has_its_origin(run: Bundle) -> None:
    found = bundle_in_memory(run, "spec.toml")
    keys = {key for kind in KINDS for key in found.values[kind]}
    assert keys == set(found.origins)
    assert found.origins["training.max_steps"][0]["value"] == found.values["numerics"]["training.max_steps"]


def test_points_of_a_sweep_and_stages_of_a_pipeline() -> None:
    sweep, pipeline = (bundle_in_memory(compiled(case), case) for case in ("sweep", "pipeline"))
    assert len(sweep.points) == sweep.manifest["points"] > 1
    assert list(pipeline.stages) == [stage["name"] for stage in pipeline.manifest["stages"]]
    assert all(stage.values["logistics"]["experiment.name"] for stage in pipeline.stages.values())
    assert not pipeline.values


def test_the_run_directory_of_a_point_has_the_points_values(tmp_path: Path) -> None:
    bundle = compiled("sweep")
    write_bundle(bundle, tmp_path / "bundle")
    last = (tmp_path / "bundle" / LIST).read_text().splitlines()[-1]
    (tmp_path / "point.json").write_text(last)
    found = bundle_at(tmp_path / "bundle")
    assert found.plan_digest == json.loads(last)["plan_digest"]
    assert found.values != bundle_in_memory(bundle, "sweep").values
    assert not found.points


def damaged(run: Bundle, name: str, data: bytes | None) -> BundleOnDisk:
    files = {path: content for path, content in run.files.items() if path != PurePosixPath(name)}
    return read_bundle({**files, **({PurePosixPath(name): data} if data is not None else {})}, "out/x")


def read_all_of(run: Bundle, manifest: bytes) -> None:
    found = damaged(run, "manifest.json", manifest)
    _ = found.inputs, found.outputs, found.stages


NONSENSE = [b"", b"{", b"[]", b"{}", b"null", b"3", b'{"format": 1}', b"\xff", b"[" * 100_000, b'"\\ud800"', None]


@pytest.mark.parametrize("data", [*NONSENSE, b'{"format": 2}', b'{"format": []}'])
def test_a_manifest_of_nobody_is_refused(run: Bundle, data: bytes | None) -> None:
    with pytest.raises(Rejected, match="CFG741"):
        damaged(run, "manifest.json", data)


@pytest.mark.parametrize("data", NONSENSE)
def test_damaged_data_is_refused_by_name(run: Bundle, data: bytes | None) -> None:
    with pytest.raises(Rejected, match=r"CFG741 `values\.json` of the bundle `out/x`"):
        _ = damaged(run, "values.json", data).values


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": {}}', b'{"a": []}', b'{"a": [3]}', b'{"\\ud800": [{}]}'])
def test_damaged_origins_are_refused_and_old_bundles_have_none(run: Bundle, data: bytes) -> None:
    with pytest.raises(Rejected, match=r"CFG741 `origins\.json`"):
        _ = damaged(run, "origins.json", data).origins
    assert damaged(run, "origins.json", None).origins == {}


@pytest.mark.parametrize("key", ["inputs", "outputs", "stages"])
@pytest.mark.parametrize("value", [[3], {"a": 3}, [{}], {"a": {}}])
def test_a_manifest_in_disorder_never_ends_in_a_traceback(run: Bundle, key: str, value: object) -> None:
    manifest = {**json.loads(run.files[PurePosixPath("manifest.json")]), key: value}
    with pytest.raises(Rejected, match="CFG74"):
        read_all_of(run, json.dumps(manifest).encode())


def test_what_the_disk_does_not_give_is_said(run: Bundle, tmp_path: Path) -> None:
    write_bundle(run, tmp_path / "bundle")
    (tmp_path / "bundle" / "values.json").unlink()
    (tmp_path / "bundle" / "values.json").mkdir()
    with pytest.raises(Rejected, match="CFG741"):
        _ = bundle_at(tmp_path / "bundle").values
    shutil.rmtree(tmp_path / "bundle")
    with pytest.raises(Rejected, match="CFG740"):
        bundle_at(tmp_path / "bundle")
