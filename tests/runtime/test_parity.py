"""Two ranks with different data compute what one process computes on the whole global batch.

fp32 sums in another order differ in the last bits: tolerances are 2e-5 of the largest gradient, 1e-6 relative for
losses and 1e-5 for gradient norms. After three AdamW steps of at most 1e-2 weights agree within 1e-4: Adam divides
by tiny second moments, which magnifies the last bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime.config import load_config
from cfgc_runtime.models.building import model_of
from cfgc_runtime.models.losses import cross_entropy
from cfgc_runtime.optimizers.groups import parameter_groups
from cfgc_runtime.schedule import learning_rate
from cfgc_runtime.wiring import NO_CODE
from tests.runtime.bundles import HERE, compile_tiny, write_corpus
from tests.runtime.parity_worker import LLAMAS, STEPS, VARIANTS
from tests.runtime.workers import run_worker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

GRADIENT_TOLERANCE = 2e-5


LLAMA = """
[model]
kind = "huggingface"

[model.config]
model_type = "llama"
vocab_size = 257
hidden_size = 32
intermediate_size = 64
num_hidden_layers = 2
num_attention_heads = 4
num_key_value_heads = 2
max_position_embeddings = 32
tie_word_embeddings = true

"""


def llama_project(directory: Path) -> Path:
    """tiny.toml with a model of transformers in place of the decoder."""
    directory.mkdir()
    text = (HERE / "tiny.toml").read_text()
    (directory / "tiny.toml").write_text(text[: text.index("[model]")] + LLAMA + text[text.index("[training]") :])
    return directory


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of all stages and offloads, from one start of two ranks."""
    directory = tmp_path_factory.mktemp("parity")
    write_corpus(directory / "text")
    for variant in VARIANTS:
        compile_tiny(directory / variant, f"zero={variant}", "model.hidden_dropout=0.0")
    project = llama_project(directory / "project")
    for name in LLAMAS:
        stage = name[-1]
        recompute = f"model.activation_checkpointing={'true' if stage == '3' else 'false'}"
        compile_tiny(directory / name, f"deepspeed.zero.stage={stage}", recompute, project=project)
    run_worker("tests.runtime.parity_worker", directory, ranks=2)
    return directory


@pytest.fixture(scope="module")
def ranks(directory: Path) -> list[dict[str, Any]]:
    return [torch.load(directory / f"rank-{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.fixture(scope="module")
def reference(directory: Path, ranks: list[dict[str, Any]], monkeypatch_module: pytest.MonkeyPatch) -> dict[str, Any]:
    """Plain torch in this process, on the samples that both ranks had together."""
    monkeypatch_module.chdir(directory)
    return plain_torch(directory, "0", ranks)


def plain_torch(directory: Path, variant: str, ranks: list[dict[str, Any]]) -> dict[str, Any]:
    """One process without DeepSpeed, on the samples that both ranks had together."""
    config = load_config(directory / variant / "config.py")
    tokens = tokens_of(directory / "text")
    model = model_of(config, NO_CODE)
    optimizer = torch.optim.AdamW(parameter_groups(model, config.OPTIMIZER), betas=(0.9, 0.95), eps=1e-8, foreach=False)
    seen: dict[str, Any] = {"losses": [], "norms": [], "gradients": []}
    for step in range(STEPS):
        samples = ranks[0][variant]["samples"][step] + ranks[1][variant]["samples"][step]
        length = config.DATA.sequence_length
        rows = torch.stack([tokens[sample * length : sample * length + length + 1] for sample in samples])
        loss = cross_entropy(model(input_ids=rows[:, :-1]), {"labels": rows[:, 1:]}).mean()
        optimizer.zero_grad()
        loss.backward()
        seen["losses"].append(loss.item())
        seen["gradients"].append(
            {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
        )
        seen["norms"].append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config.SCHEDULE, step + 1)
        optimizer.step()
    seen["weights"] = {name: one.detach().clone() for name, one in model.named_parameters()}
    return seen


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def tokens_of(directory: Path) -> torch.Tensor:
    """The bytes of the files, each with the end of a text behind it."""
    return torch.tensor([token for path in sorted(directory.glob("*.txt")) for token in (*path.read_bytes(), 256)])


def distance(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """Largest difference of any entry, relative to the largest entry."""
    assert ours.keys() == theirs.keys()
    largest = max(one.abs().max().item() for one in theirs.values())
    return max((ours[name] - theirs[name]).abs().max().item() for name in theirs) / largest


def test_the_ranks_have_different_samples(ranks: list[dict[str, Any]]) -> None:
    for variant in VARIANTS:
        for mine, other in zip(ranks[0][variant]["samples"], ranks[1][variant]["samples"], strict=True):
            assert len(set(mine) | set(other)) == 8


@pytest.mark.covers("deepspeed.zero.stage", "deepspeed.offload.optimizer", "deepspeed.offload.parameters")
@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_losses_and_weights_are_those_of_one_process(
    variant: str, ranks: list[dict[str, Any]], reference: dict[str, Any]
) -> None:
    assert_same(variant, ranks, reference)


@pytest.mark.covers("model.kind", "model.config", "model.activation_checkpointing")
def test_a_model_of_transformers_trains_as_in_one_process(directory: Path, ranks: list[dict[str, Any]]) -> None:
    reference = plain_torch(directory, LLAMAS[0], ranks)
    for variant in LLAMAS:
        assert_same(variant, ranks, reference)


def assert_same(variant: str, ranks: list[dict[str, Any]], reference: dict[str, Any]) -> None:
    for rank in ranks:
        found = rank[variant]
        assert found["losses"] == pytest.approx(reference["losses"], rel=1e-6)
        assert found["norms"] == pytest.approx(reference["norms"], rel=1e-5)
        for ours, theirs in zip(found["gradients"], reference["gradients"], strict=True):
            assert distance(ours, theirs) < GRADIENT_TOLERANCE
        assert distance(found["weights"], reference["weights"]) < 1e-4


def test_the_same_data_on_both_ranks_would_have_been_noticed(
    directory: Path, ranks: list[dict[str, Any]], reference: dict[str, Any]
) -> None:
    config = load_config(directory / "0" / "config.py")
    tokens = tokens_of(directory / "text")
    model = model_of(config, NO_CODE)
    length = config.DATA.sequence_length
    samples = ranks[0]["0"]["samples"][0]
    rows = torch.stack([tokens[one * length : one * length + length + 1] for one in samples])
    cross_entropy(model(rows[:, :-1]), {"labels": rows[:, 1:]}).mean().backward()
    half = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    assert distance(half, reference["gradients"][0]) > 1000 * GRADIENT_TOLERANCE
