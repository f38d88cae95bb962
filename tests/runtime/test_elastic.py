"""A run goes on with another number of ranks: the same samples in the same order, and sums that differ in last bits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.runtime.bundles import Run, compile_tiny, free_port, new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5
"""Relative, of losses, held-out losses and gradient norms in fp32; 2e-7 was seen, and 1e-4 (norms 6e-4) in bf16."""

SHORT = ("model.hidden_dropout=0.0", "training.max_steps=8")
COMMON = (*SHORT, "checkpoint.elastic=true")
BACKWARDS = 8 // 2
"""Backward passes of one step over all ranks."""


def with_ranks(run: Run, ranks: int, *overrides: str) -> Run:
    """The same run, started with a bundle for ``ranks``."""
    directory = run.cwd / f"bundle-for-{ranks}"
    port = f"launch.master_port={free_port()}"
    return replace(run, bundle=compile_tiny(directory, port, f"launch.gpus_per_node={ranks}", *overrides))


def numbers(run: Run) -> dict[str, dict[int, float]]:
    names = ("loss", "eval_loss", "grad_norm", "lr")
    return {name: {line["step"]: line[name] for line in run.metrics() if name in line} for name in names}


@pytest.mark.covers("checkpoint.elastic")
@pytest.mark.parametrize(
    ("zero", "before", "after"), [("1", 2, 1), ("2", 1, 2), ("3", 2, 1)], ids=["zero-1", "zero-2", "zero-3"]
)
def test_the_curve_goes_on_after_a_change_of_the_ranks(
    zero: str, before: int, after: int, tmp_path: Path, finished: Callable[..., Run]
) -> None:
    overrides = (*COMMON, f"zero={zero}")
    run = new_run(tmp_path, *overrides, f"launch.gpus_per_node={before}")
    killed = run.to_end(TEST_KILL=f"0:{5 * BACKWARDS // before + 1}")  # in step 6; step 4 was saved
    assert killed.code == 137, (killed, run.logs())
    run = with_ranks(run, after, *overrides)
    outcome = run.to_end()
    assert outcome.code == 0, (outcome, run.logs())
    assert f"launch.gpus_per_node: {before} → {after}" in outcome.out
    saved_by = f"{before} rank{'' if before == 1 else 's'}"
    assert f"step-00000004 was saved by {saved_by}, this run has {after}: converting it once" in outcome.out
    assert "resumed from step 4" in outcome.out
    ours, theirs = numbers(run), numbers(finished(*COMMON, "zero=2"))
    for name, curve in theirs.items():
        assert ours[name] == pytest.approx(curve, rel=TOLERANCE), name
    names = sorted(path.name for path in (run.directory / "checkpoints").glob("*-*"))
    assert names == ["step-00000004", "step-00000008"], "converted forms are gone after the next save"


def test_other_ranks_are_refused_with_the_key_that_allows_them(tmp_path: Path, finished: Callable[..., Run]) -> None:
    bundle = compile_tiny(tmp_path / "one", *SHORT, "zero=2", "launch.gpus_per_node=1")
    run = replace(finished(*COMMON, "zero=2"), bundle=bundle)
    outcome = run.to_end()
    assert outcome.code == 65
    assert "launch.gpus_per_node: 2 → 1" in outcome.err
    assert "set checkpoint.elastic = true in the spec" in outcome.err
