"""What a run asks torch for before it reads anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from cfgc_runtime import train as train_module
from cfgc_runtime.errors import INTERNAL, Failure
from cfgc_runtime.world import World
from tests.runtime.bundles import compile_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kernels() -> Iterator[None]:
    """Torch chooses its kernels afterwards as it did before."""
    before = torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    benchmark = torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(False)
    yield
    torch.use_deterministic_algorithms(before)
    torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = benchmark


@pytest.mark.covers("experiment.deterministic")
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.usefixtures("kernels")
def test_repeatable_kernels_are_chosen_where_the_spec_asks_for_them(
    wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*_given: Any) -> None:
        raise Failure(INTERNAL, "as far as the first line")

    monkeypatch.setattr(train_module, "open_reporter", begin)
    bundle = compile_tiny(tmp_path / "bundle", f"experiment.deterministic={str(wanted).lower()}")
    nothing: Any = type("Nothing", (), {"enter": lambda _self, _phase: None})()
    with pytest.raises(Failure, match="as far as the first line"):
        train_module.train(bundle, nothing, World(0, 2, 0, 2, 0), nothing, nothing, nothing)
    assert torch.are_deterministic_algorithms_enabled() is wanted
