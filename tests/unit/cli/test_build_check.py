"""``cfgc build --check``: what lies there against what a build would write."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cfgc.cli import EXIT_DIFFERS, EXIT_OK, EXIT_REJECTED, EXIT_USAGE, run

SPEC = 'extends = "cfgc:examples/quickstart.toml"\n[experiment]\nname = "{name}"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("built")
    (project / "cfgc.toml").touch()
    (project / "specs").mkdir()
    for name in ("a", "b"):
        (project / f"specs/{name}.toml").write_text(SPEC.format(name=name))
    assert run(["build", str(project / "specs/a.toml")]) == EXIT_OK
    words = [str(project / "specs/b.toml"), "training.max_steps=20", "-o", str(project / "out/group/b")]
    assert run(["build", *words]) == EXIT_OK
    return project


@pytest.fixture(autouse=True)
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    before = snapshot()
    code = run(["build", "--check", *words])
    assert snapshot() == before, "something was written"
    return (code, *capsys.readouterr())


def snapshot() -> dict[str, tuple[int, int]]:
    found = (path for path in Path().rglob("*") if "__pycache__" not in path.parts)
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in found}


def test_a_whole_tree_that_is_as_its_specs_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, "out") == (EXIT_OK, "", "2 of 2 bundles are what their specs give\n")
    assert checked(capsys, "specs/a.toml")[0] == EXIT_OK
    assert checked(capsys, "out/a", "out/group/b")[0] == EXIT_OK


def test_a_changed_spec_shows_the_value_its_origin_and_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("specs/a.toml").open("a") as spec:
        spec.write("[training]\nmax_steps = 77\n")
    code, out, err = checked(capsys, "out")
    assert code == EXIT_DIFFERS
    assert "out/a is not what specs/a.toml gives" in out
    assert re.search(r"training.max_steps\n +- 1000 +overlay env=dev\n +\+ 77 +spec specs/a.toml\n", out)
    assert {"-    max_steps=1000,", "+    max_steps=77,"} <= set(out.splitlines())
    assert "CFG730" in err
    assert "`cfgc build specs/a.toml -o out/a`" in err
    assert err.endswith("1 of 2 bundles are what their specs give\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda: Path("out/a/launch.sh").write_text("exit 0\n"), "launch.sh edited by hand"),
        (lambda: Path("out/a/job.sbatch").unlink(), "job.sbatch missing"),
        (lambda: Path("out/a/notes.txt").touch(), "notes.txt added"),
        (lambda: Path("out/a/launch.sh").chmod(0o644), "launch.sh is to be executable"),
        (lambda: Path("out/a/PLAN.md").chmod(0o755), "PLAN.md is not to be executable"),
        (lambda: Path("out/a/runtime/cfgc_runtime/loop.py").write_text(""), "1 of runtime/ edited by hand"),
        (lambda: Path("out/a/manifest.json").write_text("{"), "manifest.json"),
        (lambda: Path("out/a/link").symlink_to("PLAN.md"), "link added"),
    ],
)
def test_whatever_happened_to_a_bundle_is_named(
    spoil: Callable[[], object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil()
    code, _, err = checked(capsys, "specs/a.toml")
    assert code == EXIT_DIFFERS
    assert said in err


def test_the_signature_and_logs_of_slurm_are_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out/a/manifest.json.sig").write_text("-----BEGIN SSH SIGNATURE-----\n")
    assert checked(capsys, "out/a")[0] == EXIT_OK


def test_a_bundle_that_was_never_built(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("out/a")
    code, out, err = checked(capsys, "specs/a.toml")
    assert (code, out) == (EXIT_DIFFERS, "")
    assert "CFG731" in err
    assert "`out/a`" in err


def test_other_overrides_give_another_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = checked(capsys, "specs/a.toml", "training.max_steps=30")
    assert code == EXIT_DIFFERS
    assert re.search(r"training.max_steps\n.*\n +\+ 30 +command line\n", out)


def test_a_spec_that_is_wrong_is_rejected_and_the_others_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs/a.toml").write_text("typo = 1\n")
    Path("out/group/b/PLAN.md").write_text("")
    code, out, err = checked(capsys, "out")
    assert code == EXIT_REJECTED
    assert "CFG301" in err
    assert "out/group/b is not what specs/b.toml gives" in out


def roads(err: str) -> list[list[str]]:
    """Commands that helps give, as words."""
    helps = [line for line in err.splitlines() if "= help: " in line]
    return [shlex.split(word) for line in helps for word in line.split("`")[1::2] if " " in word]


def test_a_spec_that_was_renamed_ends_in_a_bundle_when_what_is_said_is_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("specs/a.toml").rename("specs/c.toml")
    code, _, err = checked(capsys, "out/a")
    assert code == EXIT_REJECTED
    assert "CFG732" in err
    where, remove = roads(err)
    assert where == ["cfgc", "build", "--check", "SPEC", "-o", "out/a"]
    code, _, err = checked(capsys, "specs/c.toml", *where[4:])
    assert code == EXIT_DIFFERS
    assert "(CFG703): `out/a` holds the bundle of another spec" in err
    assert "built from `specs/a.toml`, which is not there any more" in err
    assert roads(err) == [remove] == [["rm", "-r", "out/a"]]
    assert run(["build", "specs/c.toml"]) == EXIT_REJECTED
    *_, absolute = roads(capsys.readouterr().err)
    shutil.rmtree(absolute[2])
    assert run(["build", "specs/c.toml"]) == EXIT_OK
    assert checked(capsys, "out/a")[0] == EXIT_OK


def test_two_specs_of_one_name_are_told_so_and_nothing_is_to_be_removed(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("specs/a.toml", "specs/second.toml")
    code, _, err = checked(capsys, "specs/second.toml")
    assert code == EXIT_DIFFERS
    assert "it was built from `specs/a.toml`; this build is from `specs/second.toml`" in err
    assert "= help: give one of the two another `experiment.name`" in err
    assert "rm -r" not in err


def test_what_stands_in_the_way_of_a_build_is_said_with_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out/a/notes.txt").touch()
    assert "= help: move them away" in checked(capsys, "out/a")[2]
    err = checked(capsys, "specs/a.toml", "-o", "out/a/variant")[2]
    assert "CFG731" in err
    assert "`cfgc build specs/a.toml -o out/a/variant` would be refused (CFG707)" in err


def test_a_spec_that_cannot_be_read_is_not_gone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs/a.toml").unlink()
    Path("specs/a.toml").mkdir()
    code, _, err = checked(capsys, "out/a")
    assert code == EXIT_REJECTED
    assert "CFG101" in err


def test_without_a_project_none_is_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cfgc.toml").unlink()
    code, _, err = checked(capsys, "out/group/b")
    assert code == EXIT_REJECTED
    assert f"looked for in `{Path.cwd()}/out/group`, since no directory above the bundle has a cfgc.toml" in err
    assert roads(err) == [["cfgc", "build", "--check", "SPEC", "training.max_steps=20", "-o", "out/group/b"]]


def test_the_copy_that_a_run_keeps_is_neither_removed_nor_built_again(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs/one/attempts").mkdir(parents=True)
    Path("out/a").rename("runs/one/bundle")
    assert checked(capsys, "runs")[0] == EXIT_OK
    with Path("specs/a.toml").open("a") as spec:
        spec.write("[training]\nmax_steps = 77\n")
    assert roads(checked(capsys, "runs")[2]) == [["cfgc", "build", "specs/a.toml"]]
    Path("specs/a.toml").unlink()
    assert [road[:3] for road in roads(checked(capsys, "runs")[2])] == [["cfgc", "build", "--check"]]


def test_a_stage_is_compared_with_the_stage_that_its_pipeline_s_spec_gives(capsys: pytest.CaptureFixture[str]) -> None:
    stages = "".join(f'[[stages]]\nname = "{name}"\nspec = "{name}.toml"\n' for name in "ab")
    Path("specs/both.toml").write_text(f'[experiment]\nname = "both"\n{stages}')
    assert run(["build", "specs/both.toml"]) == EXIT_OK
    capsys.readouterr()
    assert checked(capsys, "out/both/stages/a")[::2] == (EXIT_OK, "1 of 1 bundle is what its spec gives\n")
    assert checked(capsys, "out/both/stages")[::2] == (EXIT_OK, "2 of 2 bundles are what their specs give\n")
    shutil.copytree("out/both/stages/a", "copied")
    assert checked(capsys, "specs/both.toml", "-o", "copied")[0] == EXIT_OK
    Path("out/both/stages/b/manifest.json").write_text("{")
    assert "files\n  manifest.json stale\n" in checked(capsys, "out/both/stages/b")[1]
    assert run(["build", "specs/both.toml"]) == EXIT_OK
    Path("out/both/stages/a/PLAN.md").write_text("")
    assert checked(capsys, "out/both/stages/b")[0] == EXIT_OK
    code, out, err = checked(capsys, "out/both/stages/a")
    assert code == EXIT_DIFFERS
    assert "files\n  PLAN.md edited by hand\n" in out
    assert roads(err) == [["cfgc", "build", "specs/both.toml", "-o", "out/both"]]
    assert run(roads(err)[0][1:]) == EXIT_OK
    assert checked(capsys, "out/both/stages/a")[0] == EXIT_OK


@pytest.mark.parametrize(
    ("place", "said"), [("out/", "was nothing built yet?"), ("nope", "was nothing"), ("built/aa", "mean `built/a`?")]
)
def test_nothing_at_a_place_is_no_spec_either(place: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").rename("built")
    code, _, err = checked(capsys, place)
    assert code == EXIT_USAGE
    assert "there is no such file or directory" in err
    assert said in err
    assert "bases" not in err


def test_findings_for_machines_are_on_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out/a/PLAN.md").write_text("")
    code, out, _ = checked(capsys, "out", "--format", "json")
    assert code == EXIT_DIFFERS
    assert [finding["code"] for finding in json.loads(out)] == ["CFG730"]


def test_an_annotation_has_the_file_that_was_edited_or_the_spec_or_the_manifest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Path("out/a/PLAN.md").read_text().splitlines(keepends=True)
    Path("out/a/PLAN.md").write_text("".join([*lines[:6], "mine\n", *lines[6:]]))
    Path("specs/b.toml").rename("specs/c.toml")
    out = checked(capsys, "out", "--format", "github")[1]
    assert "::error file=out/a/PLAN.md,line=7,col=1,title=CFG730::" in out
    assert "::error file=out/group/b/manifest.json,line=1,col=1,title=CFG732::" in out
    with Path("specs/a.toml").open("a") as spec:
        spec.write("[training]\nmax_steps = 77\n")
    assert run(["build", "specs/a.toml"]) == EXIT_OK
    out = checked(capsys, "specs/a.toml", "training.max_steps=3", "--format", "github")[1]
    assert out.startswith("::error file=specs/a.toml,line=1,col=1,title=CFG730::")
    (finding,) = json.loads(checked(capsys, "specs/a.toml", "-o", "nowhere", "--format", "json")[1])
    assert (finding["code"], finding["primary"]["file"]) == ("CFG731", "specs/a.toml")


def test_warnings_are_refused_where_they_are_denied(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("specs/a.toml").open("a") as spec:
        spec.write("[checkpoint]\nevery_steps = 1_000\n")
    assert run(["build", "specs/a.toml"]) == EXIT_OK
    assert checked(capsys, "specs/a.toml")[0] == EXIT_OK
    assert checked(capsys, "specs/a.toml", "--deny", "warnings")[0] == EXIT_REJECTED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("out", "training.max_steps=3"), "overrides of its own"),
        (("out", "-o", "x"), "-o says where the bundle of one SPEC is"),
        (("specs",), "is no bundle, and none is below it"),
        (("training.max_steps=3",), "no SPEC"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = checked(capsys, *words)
    assert code == EXIT_USAGE
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("specs/a.toml", "specs/b.toml"), "specs/b.toml is no override"),
        (("training.max_steps=3", "specs/a.toml"), "write the SPEC first"),
        (("training.max_steps=3",), "write the SPEC first"),
    ],
)
def test_a_build_takes_one_spec(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["build", *words]) == EXIT_USAGE
    assert said in capsys.readouterr().err
