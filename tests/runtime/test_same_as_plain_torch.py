"""The quickstart's curve is that of transformers' Llama trained by a plain loop of torch: the set-up is right as well.

Nothing of the runtime is in the other loop but its first weights and the samples: the model, the weight decay of
matrices alone, AdamW, clipping, warm-up and cosine are written out here. Both are fp32 and sum in other orders: the
losses of these steps differ by less than 1e-6, and ``NOISE`` allows for 1e-5. Those of another seed differ by 0.1.
"""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from cfgc_runtime.config import load_config
from cfgc_runtime.data.feed import make_feed
from cfgc_runtime.data.prepare import prepare_sources
from cfgc_runtime.models.decoder import build_model
from cfgc_runtime.world import World
from tests.runtime.bundles import Run, free_port
from tests.runtime.llama import llama_like

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

STEPS, WARM_UP, PEAK, FINAL = 24, 4, 3e-3, 3e-4
NOISE = 1e-5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The quickstart with a smaller model and in fp32, trained by its bundle."""
    directory = tmp_path_factory.mktemp("quickstart")
    shutil.copy(shipped_dir("specs") / "examples" / "quickstart.toml", directory / "mine.toml")
    overrides = (
        f"training.max_steps={STEPS}", f"training.warmup_steps={WARM_UP}", "training.precision=fp32",
        "model.hidden_size=64", "model.num_layers=2", "tracking.log_every_steps=1", "evaluation.every_steps=0",
        "evaluation.at_end=false", f"launch.master_port={free_port()}",
    )  # fmt: skip
    bundle = compile_spec(DiskReader(directory, shipped_dir("specs")), "mine.toml", overrides)
    write_bundle(bundle, directory / "bundle")
    return Run(directory / "bundle", directory)


def other_curve(run: Run, seed: int) -> Iterator[float]:
    """The loss of each step, of a loop that knows nothing of the runtime's."""
    config = load_config(run.bundle / "config.py")
    assert config.MODEL.kind == "decoder"
    first: Any = build_model(config.MODEL, seed)
    model = llama_like(config.MODEL, first.state_dict())
    matrices = [one for one in model.parameters() if one.dim() == 2]
    others = [one for one in model.parameters() if one.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8)
    for step, rows in enumerate(global_batches(run, config), 1):
        rate = PEAK * step / WARM_UP
        if step > WARM_UP:
            rate = FINAL + (PEAK - FINAL) * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP))) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = model(input_ids=rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield loss.item()


def global_batches(run: Run, config: Any) -> Iterator[torch.Tensor]:
    """The tokens of each step, those of both ranks together: [16, 129]."""
    prepared = prepare_sources(config.DATA, run.directory / "data", lambda *_: False)
    feeds = [make_feed(config, World(rank, 2, rank, 2, 0), prepared).train(range(STEPS)) for rank in range(2)]
    for _ in range(STEPS):
        micros = [next(feed).batch for feed in feeds for _ in range(config.BATCH.gradient_accumulation_steps)]
        yield torch.cat([torch.cat((one["input_ids"], one["labels"][:, -1:]), 1) for one in micros])


@pytest.mark.covers(
    "training.max_steps", "training.learning_rate", "training.warmup_steps", "training.scheduler.type",
    "training.gradient_clipping",
    "training.scheduler.final_learning_rate", "training.optimizer.weight_decay", "training.optimizer.betas",
)  # fmt: skip
def test_the_curve_is_that_of_a_plain_loop(run: Run) -> None:
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    theirs, another = list(other_curve(run, seed=42)), list(other_curve(run, seed=43))
    torch.set_num_threads(threads)
    ours = [line["loss"] for line in run.metrics() if "loss" in line]
    assert len(ours) == STEPS
    assert ours[-1] < ours[0] - 1.0
    assert ours == pytest.approx(theirs, abs=NOISE)
    assert max(abs(one - other) for one, other in zip(theirs, another, strict=True)) > 1000 * NOISE
