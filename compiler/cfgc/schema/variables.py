"""The class of an environment variable, by its name."""

from __future__ import annotations

from fnmatch import fnmatchcase

from cfgc.effects import Classed

_SPEED = Classed("resources", "Libraries read it to send or compute the same, faster or with less memory.")
_TOLD = Classed("logistics", "Libraries read it for what they write, whom they tell, or where their files lie.")
_ROUNDING = Classed("numerics", "Libraries read it to choose kernels, which round otherwise.")
_CODE = Classed("numerics", "It says which code is found first.")
_UNKNOWN = Classed("numerics", "It is not known, and the user's own code may read it.")

NAMES: tuple[tuple[Classed, str], ...] = (
    (_CODE, "PYTHONPATH LD_LIBRARY_PATH LD_PRELOAD"),
    (
        _ROUNDING,
        "NVIDIA_TF32_OVERRIDE TORCH_ALLOW_TF32_CUBLAS_OVERRIDE CUBLAS_* CUDNN_* TORCHINDUCTOR_* *_DETERMINISTIC*",
    ),
    (_TOLD, "WANDB_* MLFLOW_* *_LOG_LEVEL *_LOGS *_DEBUG *_DEBUG_* *_VERBOSE *_VERBOSITY PYTHONUNBUFFERED"),
    (_TOLD, "HF_HOME HF_HUB_* *_OFFLINE *_CACHE *_CACHE_DIR TMPDIR XDG_* *_PROXY *_proxy LANG LC_* TZ NO_COLOR"),
    (_SPEED, "NCCL_* RCCL_* UCX_* FI_* GLOO_* OMP_* MKL_* KMP_* OPENBLAS_* MALLOC_* TOKENIZERS_PARALLELISM"),
    (_SPEED, "PYTORCH_*ALLOC_CONF CUDA_DEVICE_MAX_CONNECTIONS CUDA_DEVICE_ORDER TORCH_NCCL_* MASTER_* *_SOCKET_IFNAME"),
)
"""The first pattern that a name fits says its class."""


def class_of_variable(name: str) -> Classed:
    """The class of the variable ``name``: of one that nobody knows, the worst."""
    fitting = (found for found, names in NAMES if any(fnmatchcase(name, pattern) for pattern in names.split()))
    return next(fitting, _UNKNOWN)
