"""An exported checkpoint is the trained model: transformers loads it and computes the same."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from cfgc_runtime.config import load_config
from cfgc_runtime.data.feed import load_feed
from cfgc_runtime.errors import BAD_CHECKPOINT, CANNOT_WRITE, NO_INPUT, USAGE, Failure
from cfgc_runtime.export.exporting import Export, export_checkpoint, size_of
from cfgc_runtime.export.huggingface import write_pretrained
from cfgc_runtime.export.llama import llama_name
from cfgc_runtime.export.tokenizer import Exported, write_tokenizer
from cfgc_runtime.models.decoder import Decoder
from cfgc_runtime.models.huggingface import build_model as build_huggingface
from cfgc_runtime.rundir import RunDirectory
from cfgc_runtime.world import World
from tests.runtime.test_huggingface import TINY, planned
from tests.runtime.test_resume import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.runtime.bundles import Run

TOLERANCE = 1e-5
"""Relative; fp32 sums of other kernels and, for losses, over other ranks."""


def export(run: Run, out: Path, **wanted: Any) -> str:
    return export_checkpoint(Export(run.directory, out, **wanted), lambda done, total: None)


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return float(torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten()))


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [("zero=0",), (), ("zero=3",)], ids=["zero-0", "zero-2", "zero-3"])
def test_transformers_computes_what_was_trained(
    overrides: tuple[str, ...], tmp_path: Path, finished: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    run = finished(*overrides)
    assert "step 12 → " in export(run, tmp_path / "llama")
    export(run, tmp_path / "own", format="safetensors")
    config = load_config(run.directory / "bundle" / "config.py")
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "llama").eval()
    assert config.MODEL.kind == "decoder"
    own = Decoder(config.MODEL).eval()
    own.load_state_dict(load_file(tmp_path / "own" / "model.safetensors"), strict=False)
    monkeypatch.chdir(run.cwd)
    weight, total = 0.0, 0.0
    feed = load_feed(config, RunDirectory(run.directory), World(0, 1, 0, 1, 0), lambda: False, lambda line: None)
    with torch.no_grad():
        for batch in feed.evaluation():
            rows = batch.weights > 0
            tokens, labels = batch.batch["input_ids"][rows], batch.batch["labels"][rows]
            theirs, ours = llama(tokens).logits, own(tokens)
            assert (theirs - ours).abs().max() < TOLERANCE * ours.abs().max()
            total += len(tokens) * loss_of(theirs, labels)
            weight += len(tokens)
    [logged] = [line["eval_loss"] for line in run.metrics() if line["step"] == 12 and "eval_loss" in line]
    assert total / weight == pytest.approx(logged, rel=TOLERANCE)


@pytest.mark.slow
def test_files_are_cut_by_size_and_another_precision_can_be_asked_for(
    tmp_path: Path, finished: Callable[..., Run]
) -> None:
    from transformers import AutoModelForCausalLM

    run = finished()
    reports: list[tuple[int, int]] = []
    wanted = Export(run.directory, tmp_path / "cut", dtype="bf16", shard_bytes=20_000)
    export_checkpoint(wanted, lambda done, total: reports.append((done, total)))
    export(run, tmp_path / "whole")
    assert reports[-1][0] == reports[-1][1] == 2 * 26_816
    index = json.loads((tmp_path / "cut" / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert len(files) == 3
    assert all((tmp_path / "cut" / file).stat().st_size < 25_000 for file in files)
    cut = AutoModelForCausalLM.from_pretrained(tmp_path / "cut")
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")
    assert cut.dtype == torch.bfloat16
    for ours, theirs in zip(cut.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs.to(torch.bfloat16))


@pytest.mark.slow
def test_what_cannot_be_exported_leaves_nothing_behind(tmp_path: Path, finished: Callable[..., Run]) -> None:
    run, out = finished(), tmp_path / "out"
    with pytest.raises(Failure, match=r"no whole checkpoint of step 5; steps there: 12, 8, 4") as caught:
        export(run, out, step=5)
    assert caught.value.code == NO_INPUT
    with pytest.raises(Failure, match="neither a run directory") as caught:
        export_checkpoint(Export(tmp_path / "nothing", out), lambda done, total: None)
    assert caught.value.code == NO_INPUT
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(Failure, match="exists already") as caught:
        export(run, taken)
    assert caught.value.code == CANNOT_WRITE
    copied = tmp_path / "run" / "checkpoints" / "step-00000012"
    copied.mkdir(parents=True)
    (tmp_path / "run" / "bundle").symlink_to(run.directory / "bundle")
    for file in (run.directory / "checkpoints" / "step-00000012").iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    with (copied / "rng-rank-1.pt").open("ab") as damaged:
        damaged.write(b"x")
    with pytest.raises(Failure, match=r"is damaged: rng-rank-1\.pt") as caught:
        export_checkpoint(Export(copied, out), lambda done, total: None)
    assert caught.value.code == BAD_CHECKPOINT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "taken"]


@pytest.mark.slow
def test_an_mlp_without_a_gate_has_no_equal_in_transformers(tmp_path: Path, finished: Callable[..., Run]) -> None:
    run = finished(*VARIANTS["bf16-zero-1-sgd"])  # with GELU
    with pytest.raises(Failure, match="--format safetensors") as caught:
        export(run, tmp_path / "no", format="huggingface")
    assert caught.value.code == USAGE
    assert "(safetensors, bf16" in export(run, tmp_path / "own")
    weights = load_file(tmp_path / "own" / "model.safetensors")
    assert {"embedding.weight", "blocks.1.mlp.up.weight"} < set(weights)
    assert (
        sum(math.prod(one.shape) for one in weights.values())
        == json.loads((tmp_path / "own" / "config.json").read_text())["model"]["parameters"]
    )


def test_names_and_sizes() -> None:
    assert llama_name("blocks.11.mlp.down.weight") == "model.layers.11.mlp.down_proj.weight"
    assert llama_name("blocks.0.attention_norm.weight") == "model.layers.0.input_layernorm.weight"
    assert [size_of(text) for text in ("5GB", "512MiB", "100", "5 gb", "0GB", "5XB", "")] == [
        5 * 10**9, 2**29, 100, 5 * 10**9, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2"])
def test_a_transformers_model_is_written_as_transformers_writes_it(kind: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    sizes: dict[str, Any] = {"n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32, "vocab_size": 300}
    said = sizes if kind == "gpt2" else {**TINY, "tie_word_embeddings": kind == "qwen2"}
    config = planned({**said, "model_type": kind})
    trained: Any = build_huggingface(config, seed=5).eval()
    weights = {name: tensor.detach().clone() for name, tensor in trained.state_dict().items()}
    reports: list[tuple[int, int]] = []
    write_pretrained(tmp_path / "out", weights, config, torch.float32, 10**9, lambda *now: reports.append(now))
    read = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokens = torch.randint(0, 300, (2, 16), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(read(tokens).logits, trained(tokens).logits)
    assert reports[-1][0] == reports[-1][1]
    assert read.config.model_type == kind


def test_a_tokenizer_json_comes_along(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoTokenizer

    raw = Tokenizer(models.WordLevel({"<unk>": 0, "<eos>": 1, "a": 2, "step": 3}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.save(str(tmp_path / "tokenizer.json"))
    place = SimpleNamespace(base="absolute", name="", path=str(tmp_path / "tokenizer.json"))
    tokenizer = SimpleNamespace(kind="tokenizers", path=place, end_token="<eos>", pad_token="<eos>")
    config: Any = SimpleNamespace(DATA=SimpleNamespace(tokenizer=tokenizer))
    out = tmp_path / "out"
    out.mkdir()
    assert write_tokenizer(out, config) == Exported(end=1, note="")
    read = AutoTokenizer.from_pretrained(out)
    assert read("a step").input_ids == [2, 3]
    assert read.eos_token_id == 1
    place.path = str(tmp_path / "nowhere.json")
    assert write_tokenizer(out, config).note.startswith("without tokenizer files (")
