"""The words that DeepSpeed knows, where it takes whatever is written and stops or changes its mind later."""

from __future__ import annotations

from dataclasses import dataclass

STARTED = "DeepSpeed stops at the start with others"


@dataclass(frozen=True)
class Choice:
    """``words``: what is known. ``why``: what others do. ``caseless``: capitals do not matter."""

    words: tuple[str, ...]
    why: str
    caseless: bool = False
    within: str = ""


_EXPERTS = "expert_parallel"
_RANDOM_LTD = "data_efficiency.data_routing.random_ltd"
_BATCHING = "data_efficiency.data_sampling.dynamic_batching"

CHOICES: dict[str, Choice] = {
    "log_level": Choice(("info", "debug", "warning", "error", "critical"), STARTED, caseless=True),
    "comet.mode": Choice(("get", "create", "get_or_create"), "comet_ml stops with others", within="comet"),
    "autotuning.tuner_type": Choice(
        ("gridsearch", "random", "model_based"), "the tuner takes others as gridsearch", within="autotuning"
    ),
    "tensor_parallel.preset_model": Choice(
        ("llama", "bloom", "chatglm", "mixtral", "deepseek_v2", "qwen2", "phi3"),
        "others are ignored without a word, and layers are chosen by their names",
        caseless=True,
    ),
    "expert_parallel.preset_model": Choice(
        ("deepseek_v2", "deepseek_v3", "minimax_m3", "mixtral", "qwen3_5_moe", "qwen3_moe"), STARTED, within=_EXPERTS
    ),
    "expert_parallel.combine_impl": Choice(
        ("auto", "weighted_sum", "fused_weighted_sum", "legacy_bmm"), STARTED, within=_EXPERTS
    ),
    "expert_parallel.row_weighting_impl": Choice(("auto", "eager", "fused"), STARTED, within=_EXPERTS),
    "expert_parallel.gate_up_impl": Choice(("separate", "fused"), STARTED, within=_EXPERTS),
    "expert_parallel.comm_backend": Choice(("comm", "deepep"), STARTED, within=_EXPERTS),
    "expert_parallel.expert_activation": Choice(
        ("swiglu", "geglu_tanh", "swiglu_clamped", "swiglu_oai"), STARTED, within=_EXPERTS
    ),
    f"{_BATCHING}.lr_scaling_method": Choice(
        ("linear", "sqrt", "none"), "the scheduler stops with others", within=_BATCHING
    ),
    f"{_BATCHING}.sequence_picking_order": Choice(
        ("dataloader", "random", "seqlen"), "the loader stops with others", within=_BATCHING
    ),
    f"{_RANDOM_LTD}.model_type": Choice(
        ("encoder", "decoder"), "the layers stop with others (NotImplementedError)", within=_RANDOM_LTD
    ),
    f"{_RANDOM_LTD}.hidden_state_order": Choice(
        ("batch_seq_dim", "seq_batch_dim"), "the layers stop with others (NotImplementedError)", within=_RANDOM_LTD
    ),
    f"{_RANDOM_LTD}.random_ltd_schedule.schedule_type": Choice(
        ("fixed_linear",), "the schedule stops with others", within=_RANDOM_LTD
    ),
}
"""By key, of raw sections; what a section of pydantic models takes is known from its types."""
