"""The least numbers that DeepSpeed can use, where it takes whatever is written and fails or misleads later."""

from __future__ import annotations

from dataclasses import dataclass

STOPS = "DeepSpeed stops at the start"


@dataclass(frozen=True)
class Bound:
    """``least``: the smallest number that works. ``why``: what a smaller one does. ``within``: has to be on.

    ``zero_is_off``: whoever writes 0 means that the key is not there.
    """

    least: int
    why: str
    within: str = ""
    zero_is_off: bool = False


_BATCHING = "data_efficiency.data_sampling.dynamic_batching"

BOUNDS: dict[str, Bound] = {
    "steps_per_print": Bound(1, "every step is divided by it; 0 stops the run after the first step", zero_is_off=True),
    "gradient_clipping": Bound(0, "DeepSpeed takes it as off, without a word"),
    "vocabulary_size": Bound(0, "no vocabulary has fewer words"),
    "zero_optimization.stage3_module_granularity_threshold": Bound(0, "DeepSpeed takes it as off, without a word"),
    "sequence_parallel_size": Bound(1, "the ranks are divided by it"),
    "tensor_parallel.autotp_size": Bound(0, "DeepSpeed takes it as off, without a word"),
    "tensor_parallel.tp.tp_size": Bound(1, STOPS),
    "activation_checkpointing.number_checkpoints": Bound(1, "buffers are allocated for so many checkpoints"),
    "pipeline.activation_checkpoint_interval": Bound(0, "DeepSpeed takes it as off, without a word"),
    "aio.block_size": Bound(1, "every request to the disk is of this size"),
    "aio.queue_depth": Bound(1, "so many requests are in flight at a time"),
    "aio.intra_op_parallelism": Bound(1, "so many threads serve the disk"),
    "aio.thread_count": Bound(1, "so many threads serve the disk"),
    "checkpoint.writer.io_buffer_size": Bound(1, "the writer's buffer has this size"),
    "checkpoint.writer.io_multiplier": Bound(1, "so many files are written by each writer"),
    "flops_profiler.profile_step": Bound(0, "steps count from 0, so that nothing is ever profiled", "flops_profiler"),
    "flops_profiler.module_depth": Bound(-1, "-1 means the innermost modules", "flops_profiler"),
    "flops_profiler.top_modules": Bound(1, "no module would be shown", "flops_profiler"),
    "comet.samples_log_interval": Bound(1, "metrics are sent every so many samples", "comet"),
    "hybrid_engine.inference_tp_size": Bound(1, "the ranks are divided by it", "hybrid_engine"),
    "autotuning.start_profile_step": Bound(1, "steps count from 1 here", "autotuning"),
    "autotuning.tuner_num_trials": Bound(1, "nothing would be tried", "autotuning"),
    "autotuning.num_tuning_micro_batch_sizes": Bound(1, "nothing would be tried", "autotuning"),
    "autotuning.mp_size": Bound(1, "the ranks are divided by it", "autotuning"),
    "expert_parallel.autoep_size": Bound(1, STOPS, "expert_parallel"),
    "expert_parallel.expert_tensor_parallel_size": Bound(1, STOPS, "expert_parallel"),
    "expert_parallel.comm_num_sm": Bound(1, STOPS, "expert_parallel"),
    "expert_parallel.comm_qp_margin": Bound(0, STOPS, "expert_parallel"),
    "expert_parallel.comm_max_tokens_per_rank": Bound(0, STOPS, "expert_parallel"),
    "expert_parallel.num_limited_groups": Bound(1, STOPS, "expert_parallel"),
    "expert_parallel.num_expert_groups": Bound(1, STOPS, "expert_parallel"),
    "data_efficiency.data_sampling.num_epochs": Bound(1, "there would be no sample to consume"),
    "data_efficiency.data_sampling.num_workers": Bound(0, "a loader has no fewer workers"),
    f"{_BATCHING}.max_tokens": Bound(1, "no sample would fit", _BATCHING),
    f"{_BATCHING}.min_batch_size": Bound(1, "a batch holds at least one sample", _BATCHING),
    f"{_BATCHING}.max_batch_size": Bound(1, "a batch holds at least one sample", _BATCHING),
}
"""By key, for keys of raw sections, and of models that set no bound of their own."""
