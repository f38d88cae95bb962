"""Variables of the ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

HOMES = {
    "MASTER_PORT": "launch.master_port",
    "OMP_NUM_THREADS": "launch.threads_per_rank",
    "DS_ACCELERATOR": "hardware.device",
    "CUBLAS_WORKSPACE_CONFIG": "experiment.deterministic",
    "WORLD_SIZE": "launch.nodes",
    "LOCAL_WORLD_SIZE": "launch.gpus_per_node",
    "CUDA_VISIBLE_DEVICES": "launch.gpus_per_node",
    "TORCH_EXTENSIONS_DIR": "launch.ops_cache",
    "TRITON_CACHE_DIR": "launch.ops_cache",
    "TORCHINDUCTOR_CACHE_DIR": "launch.ops_cache",
}
"""Variables that follow from a key of the spec."""

OWNED = frozenset(
    {*HOMES, "RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "NODE_RANK", "MASTER_ADDR", "PYTHONHASHSEED"}
    | {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
)
"""Variables that the launcher or the scheduler sets for every rank."""

OWNED_PREFIXES = ("SLURM_", "SRUN_", "TORCHELASTIC_", "CFGC_")


def launcher_keeps_its_variables(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG604: a spec does not set what the launcher computes."""
    tables = (("env.variables", spec.env.variables), ("task.env", spec.task.env))
    of_the_site = ("cluster.environment", spec.cluster.environment)
    named = [(table, name) for table, names in (*tables, of_the_site) for name in names]
    for table, name in named:
        if name not in OWNED and not name.startswith(OWNED_PREFIXES):
            continue
        home = HOMES.get(name)
        yield error(
            "CFG604",
            f"`{name}` is set by the launcher, for every rank",
            resolved,
            [At(f"{table}.{name}", "would contradict it"), *([At(home, "decides it")] if home else [])],
            (),
            (f"drop it, and set `{home}`" if home else "drop it",),
        )


def variables_have_one_source(spec: AnySpec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG605: a variable has a value here or comes from the user, not both."""
    for name in spec.env.required:
        if name not in spec.env.variables:
            continue
        yield error(
            "CFG605",
            f"`{name}` is given here and asked of the user",
            resolved,
            [At(f"env.variables.{name}", "its value"), At("env.required", "must be set where the run starts")],
            (),
            (f"drop `env.variables.{name}`, which is kept in the bundle; or drop it from `env.required`",),
        )
