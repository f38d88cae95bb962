"""The forms of a spec: each is read back by its own reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from cfgc.audit.forms import NoSuchFormError, in_form
from cfgc.emit.resolved_toml import resolved_toml
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Provenance
from cfgc.pipeline import compile_spec, plan_spec
from cfgc.resources import shipped_dir
from cfgc_runtime.config import load_config
from tests.unit.emit.samples import HOSTILE, cpu_plan

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
ODD = [
    "1e5",
    "+1.5E3",
    ".5e-3",
    "1_0e1",
    "yes",
    "null",
    "0x1F",
    "12:30:45",
    "2026-01-01",
    "~",
    "=",
    "<<",
    "???",
    "a: b",
]
HOLES = ["${x", "$${x}", r"\${HOME}", r"\\${a b}", "echo ${#list[@]} \\", "${training.seed} and ${now:%H}"]


def files_of(case: str, *overrides: str) -> Mapping[PurePosixPath, bytes]:
    return compile_spec(DiskReader(GOLDEN / case, shipped_dir("specs")), "spec.toml", overrides).files


def files_with(*texts: str) -> Mapping[PurePosixPath, bytes]:
    """A bundle whose spec has ``texts`` as values."""
    rows = tuple(Provenance(("env", "variables", f"V{place}"), text, "spec a.toml") for place, text in enumerate(texts))
    plan = cpu_plan()
    text = resolved_toml(replace(plan, review=replace(plan.review, provenance=rows)))
    return {PurePosixPath("resolved.toml"): text.encode()}


def variables(*texts: str) -> dict[str, object]:
    return {"env": {"variables": {f"V{place}": text for place, text in enumerate(texts)}}}


def test_toml_is_built_again() -> None:
    again = in_form(files_of("raw-keys"), "toml")
    reader = MemoryReader({"again.toml": again}, DiskReader(GOLDEN / "raw-keys", shipped_dir("specs")))
    assert in_form(compile_spec(reader, "again.toml").files, "json") == in_form(files_of("raw-keys"), "json")


@pytest.mark.parametrize("case", ["cpu-zero2", "hostile-strings", "raw-keys", "sweep", "task-script", "own-code"])
def test_omegaconf_reads_what_json_says(case: str) -> None:
    files = files_of(case)
    read = OmegaConf.to_container(OmegaConf.create(in_form(files, "yaml")), resolve=True)
    assert read == json.loads(in_form(files, "json"))


def test_json_has_the_texts_themselves() -> None:
    texts = (*HOSTILE, *ODD, *HOLES)
    assert json.loads(in_form(files_with(*texts), "json")) == variables(*texts)


@given(st.lists(st.one_of(st.sampled_from([*HOSTILE, *ODD, *HOLES]), st.text(), st.text("\\${}ab'\" :")), max_size=4))
def test_omegaconf_reads_every_text(texts: list[str]) -> None:
    written = in_form(files_with(*texts), "yaml")
    read = OmegaConf.to_container(OmegaConf.create(written), resolve=True) if texts else yaml.safe_load(written)
    assert read == (variables(*texts) if texts else {})


def test_the_runtime_reads_the_python_form(tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(in_form(files_of("cpu-zero2", "training.learning_rate=0.25"), "python"))
    assert load_config(path).SCHEDULE.learning_rate == 0.25


def test_the_deepspeed_form_is_what_deepspeed_is_given() -> None:
    plan = plan_spec(DiskReader(GOLDEN / "raw-keys", shipped_dir("specs")), "spec.toml")
    files = files_of("raw-keys")
    text = in_form(files, "deepspeed")
    assert text == files[PurePosixPath("ds_config.json")].decode()
    assert json.loads(text) == plan.ds_config  # type: ignore[union-attr]


def test_a_pipeline_has_each_form_by_stage() -> None:
    files = files_of("pipeline")
    assert list(json.loads(in_form(files, "deepspeed"))["stages"]) == ["pretrain", "finetune", "judge"]
    read = OmegaConf.create(in_form(files, "yaml"))
    assert read.stages.report.task.script == "report.py"
    assert in_form(files, "python").count("# stage ") == 5


def test_a_task_has_nothing_for_deepspeed() -> None:
    with pytest.raises(NoSuchFormError, match="this is a task"):
        in_form(files_of("task-script"), "deepspeed")
