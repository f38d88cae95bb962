"""The arithmetic, against what it must equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgc.arithmetic.batch import Conflict, Indivisible, Missing, Triple, solve_batch
from cfgc.arithmetic.decoder import Shape, default_intermediate_size, flops_per_token, parameter_count
from cfgc.arithmetic.memory import Setting, checkpoint_bytes, model_states
from cfgc.arithmetic.schedule import rank_hours, steps_from_epochs
from cfgc.arithmetic.topology import data_parallel_size

SIZES = st.integers(1, 10_000)


@given(SIZES, SIZES, SIZES)
def test_any_two_sizes_fix_the_third(micro: int, accumulation: int, copies: int) -> None:
    whole = Triple(micro * accumulation * copies, micro, accumulation)
    size = whole.global_batch_size
    assert solve_batch(size, micro, accumulation, copies) == whole
    assert solve_batch(None, micro, accumulation, copies) == whole
    assert solve_batch(size, None, accumulation, copies) == whole
    assert solve_batch(size, micro, None, copies) == whole


@given(st.none() | SIZES, st.none() | SIZES, st.none() | SIZES, SIZES)
def test_a_triple_always_multiplies(size: int | None, micro: int | None, accumulation: int | None, copies: int) -> None:
    found = solve_batch(size, micro, accumulation, copies)
    if isinstance(found, Triple):
        assert found.global_batch_size == found.micro_batch_size * found.gradient_accumulation_steps * copies
        assert size in (None, found.global_batch_size)
    elif isinstance(found, Conflict):
        assert found.product != size
    elif isinstance(found, Indivisible):
        assert size is not None
        assert size % found.divisor or size < found.divisor
    else:
        assert isinstance(found, Missing)
        assert len(found.given) < 2


@pytest.mark.parametrize(
    ("world", "group", "copies"), [(8, 1, 8), (8, 2, 4), (8, 8, 1), (8, 3, None), (4, 8, None), (1, 1, 1)]
)
def test_data_parallel_size(world: int, group: int, copies: int | None) -> None:
    assert data_parallel_size(world, group) == copies


@pytest.mark.parametrize(
    ("hidden", "gated", "width"), [(64, True, 192), (768, True, 2048), (4096, True, 10944), (768, False, 3072)]
)
def test_default_intermediate_size(hidden: int, gated: bool, width: int) -> None:
    assert default_intermediate_size(hidden, gated) == width
    assert not gated or width >= 8 * hidden / 3 > width - 64


def test_parameter_count_of_a_known_model() -> None:
    """Llama 2 7B without its attention biases (it has none): 6,738,415,616 weights."""
    llama = Shape(32000, 4096, 32, 32, 32, 11008, gated=True, tie_embeddings=False)
    assert parameter_count(llama) == 6_738_415_616


def test_flops_count_each_multiplied_weight_six_times() -> None:
    untied = Shape(320, 64, 2, 4, 4, 192, gated=True, tie_embeddings=False)
    tied = Shape(320, 64, 2, 4, 4, 192, gated=True, tie_embeddings=True)
    assert flops_per_token(untied, 128) == flops_per_token(tied, 128)
    assert flops_per_token(tied, 128) == 6 * parameter_count(tied) + 12 * 2 * 64 * 128


def setting(stage: int, precision: str = "bf16", shards: int = 8, offload: bool = False) -> Setting:
    return Setting(1_000_000, shards, stage, precision, 2, offload, offload and stage == 3)


@pytest.mark.parametrize(
    ("stage", "parameters", "gradients", "optimizer"),
    [
        (0, 2_000_000, 2_000_000, 12_000_000),
        (1, 2_000_000, 2_000_000, 1_500_000),
        (2, 2_000_000, 250_000, 1_500_000),
        (3, 250_000, 250_000, 1_500_000),
    ],
)
def test_zero_divides_sixteen_bytes(stage: int, parameters: int, gradients: int, optimizer: int) -> None:
    """The 2 + 2 + 12 bytes of the ZeRO paper (Rajbhandari and others, 2020), over 8 ranks."""
    states = model_states(setting(stage))
    assert (states.parameter_bytes, states.gradient_bytes, states.optimizer_bytes) == (parameters, gradients, optimizer)


def test_offloading_moves_states_to_the_host() -> None:
    states = model_states(setting(3, offload=True))
    assert states.device_total == 0
    assert states.host_bytes == (12 + 4 + 2) * 125_000


@given(st.integers(1, 10**12), st.integers(1, 4096), st.sampled_from(["fp32", "bf16"]))
def test_a_higher_stage_never_needs_more(parameters: int, shards: int, precision: str) -> None:
    totals = [
        model_states(Setting(parameters, shards, stage, precision, 2, False, False)).device_total for stage in (1, 2, 3)
    ]
    assert totals == sorted(totals, reverse=True)


def test_checkpoint_holds_weights_master_and_moments() -> None:
    assert checkpoint_bytes(setting(2)) == 14_000_000
    assert checkpoint_bytes(setting(0, "fp32")) == 12_000_000
    assert checkpoint_bytes(setting(2, "fp32")) == 16_000_000


def test_steps_and_hours() -> None:
    assert steps_from_epochs(3, 1000, 32) == 93
    assert rank_hours(8, 86_400) == 192.0
