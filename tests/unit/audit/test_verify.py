"""cfgc verify and cfgc sign: what they say of whole trees, of signatures, and of what cannot be checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cfgc.audit.signing import sign
from cfgc.audit.verify import bundles_at, verify
from cfgc.cli import run
from cfgc.diagnostics import Rejected
from cfgc.emit.manifest import sealed
from cfgc.pipeline import compile_spec
from cfgc.write.writer import write_bundle
from cfgc_runtime.bundle_copy import copy_files
from cfgc_runtime.manifest import verify_bundle
from tests.unit.audit.test_tampering import STAGES, new_key
from tests.unit.stages.test_pipelines import TASK, reader_of

ANN, BEN = "ann@example.org", "ben@example.org"


def build(directory: Path, spec: str = TASK) -> Path:
    write_bundle(compile_spec(reader_of(spec), "spec.toml"), directory)
    return directory


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {ANN: new_key(folder / "ann"), BEN: new_key(folder / "ben", "ecdsa")}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("compiled") / "bundle")


@pytest.fixture
def bundle(compiled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compiled, tmp_path / "bundle"))


def signers_of(path: Path, keys: dict[str, Path], *names: str, options: str = "") -> Path:
    lines = [f"{name}{options} {keys[name].with_suffix('.pub').read_text()}" for name in names]
    path.write_text("# who may sign\n" + "".join(lines))
    return path


def test_a_signature_is_of_whom_the_file_of_signers_says(
    bundle: Path, tmp_path: Path, keys: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    both = signers_of(tmp_path / "both", keys, ANN, BEN)
    assert run(["verify", str(bundle)]) == 0
    assert capsys.readouterr().out.endswith(", not signed\n")
    assert run(["verify", str(bundle), "--signers", str(both)]) == 65
    assert "error[CFG736]" in capsys.readouterr().err
    assert run(["sign", str(bundle), "--key", str(keys[ANN])]) == 0
    assert run(["verify", str(bundle), "--signers", str(both)]) == 0
    assert f"signed by {ANN} (ED25519 key SHA256:" in capsys.readouterr().out
    assert run(["verify", str(bundle), "--signers", str(both), "--identity", BEN]) == 65
    assert f"is not {BEN}'s in {both}" in capsys.readouterr().err
    only_ben = signers_of(tmp_path / "ben", keys, BEN)
    assert run(["verify", str(bundle), "--signers", str(only_ben)]) == 65
    assert "is not of a signer whom" in capsys.readouterr().err
    for_git = signers_of(tmp_path / "git", keys, ANN, options=' namespaces="git"')
    assert run(["verify", str(bundle), "--signers", str(for_git)]) == 65
    assert run(["sign", str(bundle), "--key", str(keys[BEN])]) == 0
    assert run(["verify", str(bundle), "--signers", str(only_ben)]) == 0


def test_the_line_that_sign_prints_allows_the_signer(
    bundle: Path, tmp_path: Path, keys: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (ANN, BEN):
        assert run(["sign", str(bundle), "--key", str(keys[name]), "--identity", name]) == 0
        signers = tmp_path / "signers"
        signers.write_text(capsys.readouterr().out)
        signature = verify(bundle, signers, name).signature
        assert signature is not None
        assert signature.signer == name
    assert run(["sign", str(bundle), "--key", str(keys[ANN]), "--identity", "ann or ben"]) == 64


def test_the_bundle_s_own_runtime_checks_signatures_without_cfgc(
    bundle: Path, tmp_path: Path, keys: dict[str, Path]
) -> None:
    sign(bundle, keys[ANN])
    signers = signers_of(tmp_path / "signers", keys, ANN)

    def verified(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(bundle / "runtime"), "verify", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = verified("--signers", "signers")
    assert (done.returncode, f"signed by {ANN}" in done.stdout) == (0, True), done.stderr
    assert "signed with ED25519 key SHA256:" in verified().stdout
    assert verified("--identity", ANN).returncode == 64
    missing = verified("--signers", "no-such-file")
    assert (missing.returncode, "no-such-file: there is no such file" in missing.stderr) == (64, True)
    assert run(["verify", str(bundle), "--signers", str(tmp_path / "no-such-file")]) == 64
    signers_of(signers, keys, BEN)
    refused = verified("--signers", "signers")
    assert (refused.returncode, "does not hold" in refused.stderr) == (65, True)
    (bundle / "manifest.json.sig").unlink()
    assert "is not signed" in verified("--signers", "signers").stderr
    assert not list(bundle.rglob("__pycache__"))


def test_whoever_seals_a_manifest_anew_cannot_sign_it(bundle: Path, tmp_path: Path, keys: dict[str, Path]) -> None:
    sign(bundle, keys[ANN])
    manifest = json.loads((bundle / "manifest.json").read_text())
    del manifest["manifest_digest"]
    (bundle / "manifest.json").write_text(sealed(manifest | {"experiment": "another"}))
    verify_bundle(bundle)
    finding = verify(bundle).finding
    assert finding is not None
    assert (finding.code, "it is not of this manifest.json" in finding.notes[0]) == ("CFG737", True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n",
        lambda text: text.replace("BEGIN SSH", "BEGIN  SSH"),
        lambda text: "not a signature\n",
        lambda text: "",
        lambda text: "é" * 9,
        lambda text: text + "x" * 99_999,
    ],
)
def test_a_signature_in_any_other_bytes_does_not_hold(bundle: Path, keys: dict[str, Path], spoil: object) -> None:
    sign(bundle, keys[ANN])
    place = bundle / "manifest.json.sig"
    place.write_bytes(spoil(place.read_text()).encode())  # type: ignore[operator]
    finding = verify(bundle).finding
    assert finding is not None
    assert finding.code == "CFG737"


def test_where_there_is_no_ssh_keygen_files_are_verified_all_the_same(
    bundle: Path, tmp_path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(bundle, keys[ANN])
    signers = signers_of(tmp_path / "signers", keys, ANN)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "which was not checked" in str(verify(bundle).signature)
    assert (verify(bundle, signers).finding or verify(bundle)).code == "CFG738"  # type: ignore[union-attr]
    with pytest.raises(Rejected, match=r"CFG739 .*no ssh-keygen here"):
        sign(bundle, keys[ANN])


def test_the_same_bytes_keep_their_signature_and_others_do_not(
    tmp_path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text(TASK)
    out, signature = Path("out/chain"), Path("out/chain/manifest.json.sig")
    assert run(["build", "spec.toml"]) == 0
    sign(out, keys[ANN])
    assert run(["build", "spec.toml"]) == 0
    assert "unchanged out/chain" in capsys.readouterr().err
    (out / "PLAN.md").write_text("mine")
    assert run(["build", "spec.toml"]) == 0
    assert verify(out).signature is not None
    assert run(["build", "spec.toml", "experiment.seed=7"]) == 0
    assert "the signature is gone with the bundle that it was of" in capsys.readouterr().err
    assert (signature.exists(), verify(out).finding) == (False, None)


def test_the_run_s_own_copy_is_signed_too(bundle: Path, tmp_path: Path, keys: dict[str, Path]) -> None:
    sign(bundle, keys[ANN])
    copy_files(bundle, verify_bundle(bundle), tmp_path / "copy")
    assert verify(tmp_path / "copy").signature == verify(bundle).signature


def test_a_damaged_bundle_a_stage_and_a_missing_key_are_not_signed(tmp_path: Path, keys: dict[str, Path]) -> None:
    pipeline = build(tmp_path / "bundle", TASK + STAGES)
    with pytest.raises(Rejected, match=r"CFG739 .*it is a stage"):
        sign(pipeline / "stages" / "one", keys[ANN])
    with pytest.raises(Rejected, match=r"CFG739 .*there is no key"):
        sign(pipeline, tmp_path / "no-such-key")
    (tmp_path / "bad").write_text("no key at all\n")
    with pytest.raises(Rejected, match=r"CFG739 .*ssh-keygen ended with exit code"):
        sign(pipeline, tmp_path / "bad")
    assert not [*pipeline.glob("*.sig"), *tmp_path.glob(".*")]
    sign(pipeline, keys[ANN])
    assert verify(pipeline).finding is None
    (pipeline / "launch.sh").write_text("echo\n")
    with pytest.raises(Rejected, match="CFG735"):
        sign(pipeline, keys[ANN])


@pytest.mark.parametrize("manifest", ["{", "[]", '{"format": 99}', "\udcff"])
def test_a_tree_with_a_damaged_manifest_is_not_signed_at_all(
    tmp_path: Path, bundle: Path, keys: dict[str, Path], manifest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        shutil.copytree(bundle, tmp_path / "tree" / name)
    place = tmp_path / "tree" / "b"
    (place / "manifest.json").write_text(manifest, errors="surrogateescape")
    assert run(["sign", str(tmp_path / "tree"), "--key", str(keys[ANN])]) == 65
    assert not [*tmp_path.glob("tree/*/*.sig")]
    assert run(["verify", str(place)]) == 65
    assert run(["build", "--check", str(place)]) == 65
    assert run(["report", str(place), "-o", str(tmp_path / "page.html")]) == 65
    own = [sys.executable, "-I", str(bundle / "runtime"), "verify", "--bundle", str(place)]
    done = subprocess.run(own, capture_output=True, text=True, check=False)
    assert done.returncode == 65
    said = capfd.readouterr().err + done.stderr
    assert "Error(" not in said
    assert "put your change" not in said
    assert subprocess.run([*own[:-1], str(tmp_path / "none")], capture_output=True, check=False).returncode == 64


@pytest.mark.parametrize("command", [["verify"], ["sign", "--key", "k"], ["report"]])
def test_what_is_no_bundle_is_a_usage_error(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("")
    (tmp_path / "a.txt").write_text("")
    for name, why in (("a.toml", "it is a spec"), ("a.txt", "it is a file"), ("none", "there is no such directory")):
        assert run([*command, str(tmp_path / name)]) == 64
        assert why in capsys.readouterr().err


def test_every_bundle_of_a_tree_is_found_and_nothing_else(
    tmp_path: Path, compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "out"
    for name in ("a", "deep/b", "lost", ".hidden"):
        shutil.copytree(compiled, tree / name)
    build(tree / "chain", TASK + STAGES)
    (tree / "link").symlink_to(tree / "a")
    (tree / "web").mkdir()
    (tree / "web" / "manifest.json").write_text('{"name": "an app"}')
    (tree / "lost" / "manifest.json").unlink()
    assert [path.relative_to(tree).as_posix() for path in bundles_at(tree)] == ["a", "chain", "deep/b", "lost"]
    assert run(["verify", str(tree)]) == 65
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        f"{tree}/{name}" for name in ("a", "chain", "deep/b")
    ]
    assert f"`{tree}/lost` is not what was compiled" in said.err
    assert "3 of 4 bundles hold" in said.err


def test_the_json_says_what_happened_to_each_file(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "config.py").write_text("X = 1\n")
    (bundle / "launch.sh").unlink()
    (bundle / os.fsdecode(b"a\nb\xff")).write_text("")
    (bundle / "submit.sh").chmod(0o644)
    (bundle / "values.json").chmod(0o755)
    assert run(["verify", str(bundle), "--format", "json"]) == 65
    (found,) = json.loads(capsys.readouterr().out)["bundles"]
    assert (found["code"], found["signature"], found["experiment"]) == ("CFG735", None, None)
    assert {(one["kind"], one["file"]) for one in found["problems"]} == {
        ("edited", "config.py"), ("missing", "launch.sh"), ("added", "a\nb\udcff"), ("mode", "submit.sh"),
        ("mode", "values.json"),
    }  # fmt: skip
    assert run(["verify", str(bundle)]) == 65
    assert "added: a\\nb\\udcff" in capsys.readouterr().err


def test_copies_that_lost_every_mode_hold(bundle: Path) -> None:
    for path in bundle.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert verify(bundle).finding is None
    (bundle / "PLAN.md").chmod(0o755)
    assert [str(one) for one in verify(bundle).problems] == [
        "mode: PLAN.md (chmod -x mends it)",
        "mode: launch.sh (chmod +x mends it)",
        "mode: submit.sh (chmod +x mends it)",
    ]


def test_a_bundle_whose_name_is_no_text_is_verified(tmp_path: Path, compiled: Path) -> None:
    place = tmp_path / os.fsdecode(b"b\n\xff")
    shutil.copytree(compiled, place)
    command = [sys.executable, "-m", "cfgc", "verify", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "b\\n\\udcff: " in done.stdout


@pytest.mark.parametrize("words", [["verify", "nothing-here"], ["verify", "."], ["verify", ".", "--identity", "me"]])
def test_what_is_no_bundle_is_said_to_be_none(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 64
    said = capsys.readouterr().err
    assert ("--signers FILE" if "--identity" in words else "is not a bundle") in said


@pytest.mark.parametrize(("written", "is_later"), [(2, True), ("1", False), (True, False), (None, False)])
def test_a_bundle_of_a_later_format_is_for_the_cfgc_that_built_it(
    bundle: Path, tmp_path: Path, written: object, is_later: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    del manifest["manifest_digest"]
    (bundle / "manifest.json").write_text(sealed(manifest | {"format": written}))
    page = str(tmp_path / "page.html")
    for words in (["verify"], ["sign", "--key", "key"], ["report", "-o", page], ["build", "--check"]):
        assert run([*words, str(bundle)]) == 65
        said = capfd.readouterr().err
        assert ("error[CFG741]" in said and "is a bundle of format 2, and this cfgc reads format 1" in said) == is_later
        assert ("use the cfgc that built it" in said, "build it again" in said) == (is_later, not is_later)
        assert is_later or "it is not as cfgc writes it" in said
