"""PyTorch: options of ``torch.distributed.run`` in the scripts, and what the runtime imports.

Sources: https://docs.pytorch.org/docs/2.6/ for what 2.6 has (checked in its published files too), the release notes
(https://github.com/pytorch/pytorch/releases), and pull request 172596 for ``--shutdown-timeout``, which the files of
2.11.0 do not have and those of 2.12.0 do.
"""

from __future__ import annotations

from cfgc.launching.used import Used

TORCH_RELEASES = (
    *("2.6.0", "2.7.0", "2.7.1", "2.8.0", "2.9.0", "2.9.1", "2.10.0", "2.11.0", "2.12.0", "2.12.1", "2.13.0"),
)
"""What ``target.torch`` can be; a bundle runs on every patch of its minor."""

SHUTDOWN_TIMEOUT = Used("--shutdown-timeout", "2.12", "torchrun waits 30 s between TERM and KILL")
FIXED_SHUTDOWN_S = 30
"""What torchrun waits where it has no such option."""

TORCHRUN: tuple[Used, ...] = (
    *(Used(name, "2.0") for name in ("--nnodes", "--nproc-per-node", "--standalone", "--max-restarts")),
    *(Used(name, "2.0") for name in ("--node-rank", "--master-addr", "--master-port")),
    SHUTDOWN_TIMEOUT,
)
"""Options, in their spelling with dashes."""

RECORDER: tuple[Used, ...] = (
    *(Used(f"TORCH_NCCL_{name}", "2.2") for name in ("TRACE_BUFFER_SIZE", "DUMP_ON_TIMEOUT", "DEBUG_INFO_TEMP_FILE")),
    Used("TORCH_NCCL_DEBUG_INFO_PIPE_FILE", "2.4"),
)
"""Variables of NCCL's flight recorder; the newer names of later releases are not read everywhere in them."""

_EVER = (
    *("torch.__version__", "torch.cuda.device_count", "torch.cuda.get_device_capability", "torch.cuda.get_device_name"),
    "torch.cuda.get_device_properties",
    *("torch.Generator", "torch.Tensor", "torch.arange", "torch.backends.cudnn.benchmark", "torch.bool", "torch.cat"),
    *("torch.cuda.get_rng_state", "torch.cuda.is_available", "torch.cuda.set_device", "torch.cuda.set_rng_state"),
    *("torch.device", "torch.float32", "torch.float64", "torch.get_rng_state", "torch.load"),
    *("torch.manual_seed", "torch.no_grad", "torch.ones", "torch.randperm", "torch.rsqrt", "torch.save"),
    *("torch.set_rng_state", "torch.stack", "torch.tensor", "torch.uint8", "torch.zeros", "torch.nn.functional"),
    *(
        "torch.distributed",
        "torch.nn",
        "nn.Dropout",
        "nn.Embedding",
        "nn.Linear",
        "nn.Module",
    ),
    *("nn.ModuleList", "nn.Parameter", "nn.init.normal_", "F.cross_entropy", "F.dropout", "F.gelu", "F.relu"),
    *("torch.utils.data.DataLoader", "torch.utils.data.Dataset", "torch.optim.Optimizer", "torch.autograd.backward"),
    *("torch.bfloat16", "torch.dtype", "torch.enable_grad", "torch.eye", "torch.float16", "torch.from_numpy"),
    *("torch.log1p", "torch.ones_like", "torch.randint", "torch.random.fork_rng", "torch.zeros_like"),
    *("torch.utils.tensorboard.summary.hparams", "torch.utils.tensorboard.summary.scalar"),
    "torch.utils.tensorboard.writer.SummaryWriter",
    *("torch.finfo", "torch.where", "distributed.broadcast"),
    *("distributed.all_reduce", "distributed.barrier", "distributed.ReduceOp.MAX"),
)
FUNCTIONS: tuple[Used, ...] = (
    *(Used(name, "1.6") for name in _EVER),
    *(Used(name, "1.7") for name in ("F.silu", "distributed.all_gather_object")),
    *(Used(name, "1.8") for name in ("distributed.broadcast_object_list", "torch.use_deterministic_algorithms")),
    *(Used(name, "1.11") for name in ("torch.utils.checkpoint.checkpoint", "torch.utils.data.default_collate")),
    Used("F.scaled_dot_product_attention", "2.0"),
    Used("torch.utils.deterministic.fill_uninitialized_memory", "2.2"),
    *(Used(name, "2.3") for name in ("torch.nn.attention.SDPBackend", "torch.nn.attention.sdpa_kernel")),
    Used("torch.nn.utils.get_total_norm", "2.6"),
)
"""What the runtime takes from torch; ``F`` is ``torch.nn.functional``."""

OPTIMIZER: tuple[Used, ...] = (
    *(Used(name, "1.13") for name in ("lr", "weight_decay", "betas", "eps", "amsgrad", "maximize", "capturable")),
    *(Used(name, "1.13") for name in ("momentum", "dampening", "nesterov", "foreach")),
    Used("differentiable", "2.0"),
    Used("fused", "2.4"),
)
"""Arguments of torch.optim's AdamW, Adam and SGD in ds_config; ``fused`` on a CPU came last."""
