"""DeepSpeed without ZeRO divides fp16 gradients by a scale that it did not multiply the loss with (CFG517)."""

from __future__ import annotations

import pytest

from tests.deepspeed.starting import alone
from tests.runtime.bundles import free_port
from tests.unit.deepspeed.zero_cases import whole, zero

FP16 = {"enabled": True}


@pytest.mark.slow
def test_the_optimizer_gets_gradients_divided_by_the_scale(tmp_path_factory: pytest.TempPathFactory) -> None:
    configs = {
        "stage 1": whole({"fp16": FP16, **zero(1)}),
        "stage 0": whole({"fp16": FP16}),
        "from 4096": whole({"fp16": {**FP16, "initial_scale_power": 12}}),
        "8": whole({"fp16": {**FP16, "loss_scale": 8}}),
        "1": whole({"fp16": {**FP16, "loss_scale": 1}}),
    }
    norms = alone("fp16_norms.py", configs, tmp_path_factory.mktemp("unscaled"), free_port())
    right = norms.pop("stage 1")
    assert right == pytest.approx(0.353, abs=1e-3)
    assert {name: round(right / norm) for name, norm in norms.items()} == {
        "stage 0": 65536,
        "from 4096": 4096,
        "8": 8,
        "1": 1,
    }
