"""``cfgc export``: a run of the smallest model, saved as ZeRO 0 would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from cfgc.cli import run
from cfgc_runtime.checkpoints import complete
from cfgc_runtime.config import load_config
from cfgc_runtime.models.building import model_of
from cfgc_runtime.wiring import load_wiring
from tests.runtime.bundles import compile_tiny


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run directory with a checkpoint of step 4, which was evaluated, and one of step 8."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "runs" / "tiny"
    bundle = compile_tiny(directory / "bundle", "zero=0")
    weights = model_of(load_config(bundle / "config.py"), load_wiring(bundle)).state_dict()
    for step, last in ((4, {"loss": 2.5, "step": 4}), (8, {"loss": None, "step": 4})):
        path = directory / "checkpoints" / complete.name_of(step)
        path.mkdir(parents=True)
        torch.save({"module": weights}, path / "mp_rank_00_model_states.pt")
        files = {file.name: complete.seal(file) for file in path.iterdir()}
        values: dict[str, dict[str, Any]] = {"numerics": {}, "resources": {}, "ds_config": {}}
        complete.write(path, complete.Complete(step, "sha256:a", 2, {}, values, files, {"last": last}))
    return directory


def test_a_run_becomes_a_directory_for_transformers(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "runs/tiny", "-o", "out"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"tiny step 8 → {Path('out').absolute()} (huggingface, fp32, 0.1 MB)")
    assert sorted(path.name for path in Path("out").iterdir()) == ["config.json", "model.safetensors"]
    assert run(["export", "runs/tiny", "-o", "best", "--best", "--dtype", "bf16"]) == 0
    assert "tiny step 4 → " in capsys.readouterr().out
    assert run(["export", "runs/tiny/checkpoints/step-00000004", "-o", "four", "--format", "safetensors"]) == 0
    assert "tiny step 4 → " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["runs/tiny", "-o", "runs"], 73, "runs exists already; name a new directory, or remove it"),
        (["runs/tiny", "-o", "x", "--step", "5"], 66, "no whole checkpoint of step 5; steps there: 8, 4"),
        (["runs", "-o", "x"], 66, "is neither a run directory with checkpoints nor a checkpoint"),
        (["runs/tiny", "-o", "x", "--shard-size", "big"], 64, "'big' is no size such as 5GB"),
        (["runs/tiny", "-o", "x", "--best", "--step", "4"], 64, "--best and --step name two checkpoints"),
        (["runs/tiny"], 64, "Missing option '-o'"),
    ],
)
def test_what_cannot_be_exported_is_said_and_leaves_nothing(
    trained: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    assert run(["export", *words]) == code
    assert sentence in capsys.readouterr().err.replace("\n", " ")
    assert not Path("x").exists()
