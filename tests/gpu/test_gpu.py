"""What only a GPU can prove: `python -m pytest -q tests/gpu` on a machine with one (two for NCCL between ranks).

Each test compares with the CPU, which all the others run on. A fp32 GPU sums in another order: losses and norms agree
within 1e-4 of their size, within 2e-3 where fp16 holds three digits.
"""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import Dataset

from cfgc_runtime.data.loading import Loaded, loader
from cfgc_runtime.data.samples import MicroBatch
from cfgc_runtime.models.attention import ATTENTIONS, check_attention
from tests.runtime.bundles import compile_tiny, new_run
from tests.runtime.test_resume import checkpoint_files
from tests.runtime.workers import run_worker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not torch.cuda.is_available(),
        reason="no GPU here: flash kernels, NCCL, fp16 on CUDA, its random state, compiled CUDA kernels and pinned "
        "memory stay unproven (docs/unproven.md)",
    ),
]

GPU = ("hardware=h100-80gb",)
STAGES = ("0", "1", "2", "3")
PLAIN = ("model.hidden_dropout=0.0", "tracking.log_level=info")
WAIT_S = 900


def start(directory: Path, names: list[str], ranks: int, device: str) -> list[dict[str, Any]]:
    """What each rank saw of the bundles ``names``."""
    own = {"DS_ACCELERATOR": device, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    run_worker("tests.gpu.gpu_worker", directory, *names, ranks=ranks, base=os.environ, wait_s=WAIT_S, **own)
    return [json.loads((directory / f"rank-{rank}.json").read_text()) for rank in range(ranks)]


def bundle(directory: Path, name: str, *overrides: str, device: tuple[str, ...] = GPU, ranks: int = 1) -> str:
    compile_tiny(directory / name, *device, f"launch.gpus_per_node={ranks}", *overrides)
    return name


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same model in fp32, one rank, without ZeRO."""
    directory = tmp_path_factory.mktemp("cpu")
    name = bundle(directory, "plain", "deepspeed.zero.stage=0", *PLAIN, device=("hardware=cpu",))
    [seen] = start(directory, [name], 1, "cpu")
    result: dict[str, Any] = seen[name]
    return result


@pytest.fixture(scope="module")
def on_gpu(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything that one GPU can do, in one process."""
    directory = tmp_path_factory.mktemp("gpu")
    names = [bundle(directory, f"fp32-{stage}", f"deepspeed.zero.stage={stage}", *PLAIN) for stage in STAGES]
    for stage in STAGES[1:]:
        half = (f"deepspeed.zero.stage={stage}", "training.precision=fp16", *PLAIN)
        names.append(bundle(directory, f"fp16-{stage}", *half))
    names.append(bundle(directory, "overflow-2", "deepspeed.zero.stage=2", "training.precision=fp16", *PLAIN))
    names += [
        bundle(directory, f"compiled-{stage}", f"deepspeed.zero.stage={stage}", "training.compile=true", *PLAIN)
        for stage in ("0", "2")
    ]
    names.append(bundle(directory, "resumed-2", "deepspeed.zero.stage=2", "training.precision=bf16"))
    [seen] = start(directory, names, 1, "cuda")
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_every_zero_stage_trains_over_nccl_as_a_cpu_does(
    stage: str, on_gpu: dict[str, Any], on_cpu: dict[str, Any]
) -> None:
    found = on_gpu[f"fp32-{stage}"]
    assert found["device"] == "cuda"
    assert found["losses"] == pytest.approx(on_cpu["losses"], rel=1e-4)
    assert found["norms"] == pytest.approx(on_cpu["norms"], rel=1e-4)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU: NCCL between two ranks stays unproven")
def test_two_ranks_over_nccl_train_as_one_cpu_does(tmp_path: Path, on_cpu: dict[str, Any]) -> None:
    names = [bundle(tmp_path, f"two-{stage}", f"deepspeed.zero.stage={stage}", *PLAIN, ranks=2) for stage in STAGES]
    seen = start(tmp_path, names, 2, "cuda")
    for name in names:
        pairs = zip(*(rank[name]["losses"] for rank in seen), strict=True)
        assert [sum(pair) / 2 for pair in pairs] == pytest.approx(on_cpu["losses"], rel=1e-4)
        assert all(rank[name]["norms"] == pytest.approx(on_cpu["norms"], rel=1e-4) for rank in seen)


@pytest.mark.parametrize("stage", STAGES[1:])
def test_fp16_trains_as_fp32_does(stage: str, on_gpu: dict[str, Any], on_cpu: dict[str, Any]) -> None:
    found = on_gpu[f"fp16-{stage}"]
    assert found["losses"] == pytest.approx(on_cpu["losses"], rel=2e-3)
    assert found["norms"] == pytest.approx(on_cpu["norms"], rel=2e-3)


def test_a_step_that_overflows_is_skipped(on_gpu: dict[str, Any]) -> None:
    assert on_gpu["overflow-2"] == {"skipped": True, "norm": None, "unchanged": True}


@pytest.mark.parametrize("stage", ["0", "2"])
def test_compiled_kernels_compute_the_same(stage: str, on_gpu: dict[str, Any], on_cpu: dict[str, Any]) -> None:
    found = on_gpu[f"compiled-{stage}"]
    assert found["compiled"]
    assert found["losses"] == pytest.approx(on_cpu["losses"], rel=1e-4)


def test_a_checkpoint_goes_on_bit_for_bit_with_the_device_s_random_state(on_gpu: dict[str, Any]) -> None:
    found = on_gpu["resumed-2"]
    assert "cuda" in found["holds"]
    assert found["random_state_matters"]
    assert found["same"]


def test_a_killed_run_on_a_gpu_resumes_bit_for_bit(tmp_path: Path) -> None:
    """launch.sh as it is: preflight, pinned memory, bf16, evaluation, checkpoints."""
    chosen = (*GPU, "launch.gpus_per_node=1", "training.precision=bf16", "data.num_workers=2")
    whole, killed = new_run(tmp_path / "whole", *chosen), new_run(tmp_path / "killed", *chosen)
    outcome = whole.to_end()
    assert outcome.code == 0, (outcome, whole.logs())
    assert killed.to_end(TEST_KILL="0:22").code == 137  # in step 6, of four micro steps each; step 4 was saved
    outcome = killed.to_end()
    assert outcome.code == 0, (outcome, killed.logs())
    assert "resumed from step 4" in outcome.out
    assert killed.metrics() == whole.metrics()
    assert checkpoint_files(killed) == checkpoint_files(whole)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_flash_kernel_attends_as_the_others_do(precision: str) -> None:
    model: Any = SimpleNamespace(kind="decoder", attention="flash_attention_2", head_dim=64, attention_dropout=0.0)
    check_attention(model, precision, torch.device("cuda"))
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    torch.manual_seed(0)
    drawn = [torch.randn(2, 4, 96, 64, device="cuda", dtype=dtype) for _ in range(3)]
    results = {}
    for name, attend in ATTENTIONS.items():
        inputs = [one.clone().requires_grad_() for one in drawn]
        out = attend(inputs[0], inputs[1], inputs[2], None, 0.0)
        torch.autograd.backward(out.float().square().sum())
        results[name] = [out.detach(), *(one.grad for one in inputs)]
    for name in ("sdpa", "eager"):
        for ours, theirs in zip(results["flash_attention_2"], results[name], strict=True):
            assert ours is not None
            assert theirs is not None
            torch.testing.assert_close(ours.float(), theirs.float(), rtol=2e-2, atol=4e-2)


class _Rows(Dataset[Loaded]):
    def __getitem__(self, index: int) -> Loaded:
        tokens = torch.full((2, 8), index)
        return MicroBatch([index], {"input_ids": tokens, "labels": tokens}, torch.ones(2))


@pytest.mark.parametrize("workers", [0, 2])
def test_pinned_batches_arrive_as_they_are(workers: int) -> None:
    data: Any = SimpleNamespace(num_workers=workers, prefetch_factor=2, persistent_workers=False, pin_memory=True)
    for index, micro in enumerate(loader(_Rows(), range(6), data, persistent=False)):
        assert isinstance(micro, MicroBatch)
        assert all(one.is_pinned() for one in micro.batch.values())
        assert micro.batch["input_ids"].to("cuda", non_blocking=True).eq(index).all()
