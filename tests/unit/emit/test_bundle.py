"""The bundle as a whole: its files, digests and manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from cfgc.emit.bundle import emit_bundle
from cfgc.emit.canonical import digest_of, json_of, plan_digest, readable
from cfgc.lower.plan import Call, Plan
from tests.unit.emit.samples import cluster_plan, cpu_plan

BUNDLE = emit_bundle(cpu_plan())
MANIFEST = json.loads(BUNDLE.files[PurePosixPath("manifest.json")])


def test_the_files_are_those_of_a_bundle() -> None:
    own = {str(path) for path in BUNDLE.files if path.parts[0] != "runtime"}
    assert own == {
        "PLAN.md", "resolved.toml", "config.py", "ds_config.json", "launch.sh", "job.sbatch", "submit.sh",
        "manifest.json", ".gitattributes", "values.json", "origins.json",
    }  # fmt: skip
    assert BUNDLE.executable == {PurePosixPath("launch.sh"), PurePosixPath("submit.sh")}
    assert BUNDLE.files[PurePosixPath(".gitattributes")] == b"* -text\n"


def test_the_runtime_is_there_byte_for_byte(repository: Path) -> None:
    source = repository / "runtime"
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.suffix in {".py", ".typed"}}
    found = {path.relative_to("runtime") for path in BUNDLE.files if path.parts[0] == "runtime"}
    assert {path.as_posix() for path in wanted} == {path.as_posix() for path in found}
    for path in wanted:
        assert BUNDLE.files[PurePosixPath("runtime", path.as_posix())] == (source / path).read_bytes()


def test_the_manifest_lists_every_other_file() -> None:
    outputs = MANIFEST["outputs"]
    assert set(outputs) == {str(path) for path in BUNDLE.files} - {"manifest.json"}
    for name, entry in outputs.items():
        data = BUNDLE.files[PurePosixPath(name)]
        assert entry == {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "executable": name in ("launch.sh", "submit.sh"),
        }
    canonical = json.dumps(outputs, sort_keys=True, separators=(",", ":")).encode()
    assert MANIFEST["bundle_digest"] == "sha256:" + hashlib.sha256(canonical).hexdigest()
    rest = {key: value for key, value in MANIFEST.items() if key != "manifest_digest"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    assert MANIFEST["manifest_digest"] == "sha256:" + hashlib.sha256(canonical).hexdigest()


def test_the_manifest_says_what_went_in() -> None:
    kept = {key: value for key, value in MANIFEST.items() if key != "outputs" and not key.endswith("_digest")}
    assert kept == {
        "format": 1,
        "cfgc_version": "0.1.0",
        "experiment": "quickstart",
        "root": "specs/examples/quickstart.toml",
        "targets": {"deepspeed": "0.19.8", "torch": "2.13.0", "slurm": "22.05"},
        "inputs": [
            {"path": "cfgc:bases/tiny.toml", "sha256": "ab" * 32},
            {"path": "specs/examples/quickstart.toml", "sha256": "cd" * 32},
        ],
        "overlays": {"hardware": "cpu", "zero": "2"},
        "overrides": ["training.learning_rate=1e-3"],
        "raw_keys": [],
    }


@pytest.mark.parametrize("name", [field.name for field in fields(Plan)])
def test_every_field_but_review_sweep_and_archive_is_the_plan_s_meaning(name: str) -> None:
    plan, other = cpu_plan(), cluster_plan()
    changed = replace(plan, **{name: getattr(other, name)})
    if getattr(plan, name) == getattr(other, name):
        changed = replace(plan, **{name: _different(getattr(plan, name))})
    assert (plan_digest(changed) == plan_digest(plan)) == (name in ("review", "sweep", "archive"))


def _different(value: Any) -> Any:
    if isinstance(value, str):
        return "fp32"
    if isinstance(value, dict):
        return {**value, "seed": 1}
    if value == ():
        return (Call("model", "", "mine", "build", {}),)
    name = fields(value)[0].name
    return replace(value, **{name: "changed"})


def test_plan_and_bundle_agree_on_the_digest() -> None:
    digest = plan_digest(cpu_plan())
    assert MANIFEST["plan_digest"] == digest
    for name in ("config.py", "job.sbatch", "manifest.json"):
        assert digest.encode() in BUNDLE.files[PurePosixPath(name)], name


def test_ds_config_is_sorted_readable_json() -> None:
    text = BUNDLE.files[PurePosixPath("ds_config.json")].decode()
    assert json.loads(text) == cpu_plan().ds_config
    assert text == json.dumps(cpu_plan().ds_config, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_only_json_is_digested(value: object) -> None:
    with pytest.raises(TypeError, match="no JSON for"):
        json_of([value])


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": (1, 2)}) == digest_of({"b": [1, 2], "a": 1})
    assert readable({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'
