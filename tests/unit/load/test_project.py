"""What cfgc.toml says for all specs of a project."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest

from cfgc.cli import run
from cfgc.load.disk import DiskReader
from cfgc.load.project_target import project_deepspeed
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.session import default_out, open_spec
from tests.unit.load.helpers import codes, load, resolve, values
from tests.unit.schema.samples import GOOD

SHIPPED = DiskReader(shipped_dir("specs"), shipped_dir("specs"))


def test_values_of_target_stand_between_the_defaults_and_the_bases() -> None:
    files: dict[str, str | bytes] = {
        "cfgc.toml": '[target]\ndeepspeed = "project"\ntorch = "project"\n',
        "spec.toml": 'extends = "b.toml"\n',
        "b.toml": 'target.torch = "base"\n',
    }
    defaults = {"target.deepspeed": "default", "target.torch": "default"}
    assert values(files, defaults=defaults) == {"target.deepspeed": "project", "target.torch": "base"}
    chain = list(resolve(files, defaults=defaults).leaves["target", "torch"].origin.chain())
    assert [str(origin.layer) for origin in chain] == ["base b.toml", "project cfgc.toml", "default"]
    assert str(chain[1].span) == "cfgc.toml:3:9"


def test_unset_takes_a_value_of_the_project_back_to_the_schemas_default() -> None:
    files = {"cfgc.toml": 'target.torch = "project"\n', "spec.toml": 'unset = ["target.torch"]\n'}
    assert values(files, defaults={"target.torch": "default"}) == {"target.torch": "default"}


def test_search_replaces_specs_and_comes_before_what_is_shipped() -> None:
    files: dict[str, str | bytes] = {
        "cfgc.toml": 'search = ["second", "../first"]\n',
        "spec.toml": 'extends = ["a.toml", "b.toml"]\n[overlays]\nzero = "2"\n',
        "specs/a.toml": "x.a = 'specs'\n",
        "../first/a.toml": "x.a = 'first'\n",
        "second/b.toml": "x.b = 'second'\n",
        "../first/b.toml": "x.b = 'first'\n",
        "../first/zero/2.toml": "x.zero = 'first'\n",
        "cfgc:zero/2.toml": "x.zero = 'shipped'\n",
    }
    assert values(files) == {"x.a": "first", "x.b": "second", "x.zero": "first"}


def test_only_a_file_that_a_bundle_depends_on_is_an_input() -> None:
    spec = {"spec.toml": "x.a = 1\n"}
    for text, counts in (("", False), ('out = "x"\n', False), ('search = ["."]\n', True), ("target.t = 1\n", True)):
        found = [read.logical for read in load({**spec, "cfgc.toml": text}).inputs]
        assert ("cfgc.toml" in found) is counts
    text = "target.t = 1\n"
    assert load({**spec, "cfgc.toml": text}).inputs[0].sha256 == sha256(text.encode()).hexdigest()


def test_everything_wrong_with_it_is_said_at_once_with_what_is_wrong_with_the_spec() -> None:
    files: dict[str, str | bytes] = {
        "cfgc.toml": 'serach = ["x"]\nsearch = ["none", 3, "a\\\\b", "."]\nout = ""\ntarget = 1\n',
        "spec.toml": '[overlays]\nzero = "9"\n',
    }
    assert codes(files) == ["CFG125", "CFG127", "CFG126", "CFG127", "CFG126", "CFG126", "CFG113"]


def test_it_is_neither_compiled_nor_extended() -> None:
    assert codes({"cfgc.toml": "", "spec.toml": 'extends = "cfgc.toml"\n'}) == ["CFG129"]


def test_a_bundle_builds_again_from_its_resolved_spec_without_the_project() -> None:
    files: dict[str, str | bytes] = {"spec.toml": GOOD, "cfgc.toml": '[target]\ntorch = "2.13.0"\n'}
    bundle = compile_spec(MemoryReader(files, SHIPPED), "spec.toml")
    resolved = bundle.files[PurePosixPath("resolved.toml")]
    again = compile_spec(MemoryReader({"r.toml": resolved}, SHIPPED), "r.toml")
    first, second = (json.loads(each.files[PurePosixPath("manifest.json")]) for each in (bundle, again))
    assert first["plan_digest"] == second["plan_digest"]
    assert first["inputs"][0]["path"] == "cfgc.toml"
    assert bundle.files == compile_spec(MemoryReader(files, SHIPPED), "spec.toml").files


def test_the_default_output_is_the_projects(tmp_path: Path) -> None:
    (tmp_path / "cfgc.toml").write_text('out = "made/bundles"\n')
    session = open_spec(str(tmp_path / "specs" / "a.toml"))
    assert default_out(session, "run").resolve() == tmp_path / "made" / "bundles" / "run"


def test_the_release_for_existing_configurations(tmp_path: Path) -> None:
    config = tmp_path / "deep" / "ds_config.json"
    project = tmp_path / "cfgc.toml"
    assert project_deepspeed(config) is None
    for text, release in (
        ('[target]\ndeepspeed = "0.16.9"\n', "0.16.9"),
        ("target.deepspeed = 3\n", None),
        ("target = 3\n", None),
        ("target = [", None),
    ):
        project.write_text(text)
        assert project_deepspeed(config) == release


def test_check_judges_a_ds_config_for_the_release_of_its_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "ds_config.json"
    config.write_text('{"train_batch_size": 8}')
    (tmp_path / "cfgc.toml").write_text('[target]\ndeepspeed = "0.16.9"\n')
    assert run(["check", str(config)]) == 0
    assert "for DeepSpeed 0.16.9" in capsys.readouterr().err
    assert run(["check", str(config), "--deepspeed", "0.17.6"]) == 0
    assert "for DeepSpeed 0.17.6" in capsys.readouterr().err
