"""How the ranks start: paths, limits, and the environment of every rank."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from cfgc.arithmetic.ending import shutdown_grace_of, signal_lead_of
from cfgc.lower import plan, site
from cfgc.lower.ops import ops_of
from cfgc.lower.sections import node_path

if TYPE_CHECKING:
    from cfgc.schema.spec import AnySpec


OPS_CACHE = plan.NodePath("absolute", "", "/tmp")


def launch(spec: AnySpec, ds_config: Mapping[str, plan.Json] = MappingProxyType({})) -> plan.Launch:
    """Launch values, seconds as integers. A task has no ``ds_config``."""
    said = spec.launch
    return plan.Launch(
        run_dir=run_dir_of(spec),
        python=said.python,
        launcher=said.launcher,
        master_port=said.master_port,
        threads_per_rank=said.threads_per_rank,
        time_limit_s=said.time_limit,
        signal_lead_s=signal_lead_of(said),
        max_attempts=said.max_attempts,
        shutdown_grace_s=shutdown_grace_of(said),
        watchdog_s=watchdog_of(spec),
        restart=said.restart,
        restart_delay_s=said.restart_delay,
        environment=environment(spec),
        required=spec.env.required,
        limits=site.limits(spec.cluster.limits),
        cpu_binding=said.cpu_binding,
        ops=ops_of(said.build_ops, ds_config),
        ops_cache=node_path(said.ops_cache) if said.ops_cache else OPS_CACHE,
    )


def run_dir_of(spec: AnySpec) -> plan.NodePath:
    """Where the run keeps its state: ``runs/<name>`` below the start directory unless given."""
    if spec.launch.run_dir is not None:
        return node_path(spec.launch.run_dir)
    return plan.NodePath("cwd", "", f"runs/{spec.experiment.name}")


def watchdog_of(spec: AnySpec) -> int:
    """Seconds without a step that make a rank hung: half of what a collective waits unless given."""
    said = spec.launch.watchdog
    return max(1, spec.launch.timeout // 2) if said is None else said


def environment(spec: AnySpec) -> dict[str, str]:
    """Variables of every rank, sorted by name; the spec's own may add to and replace the defaults."""
    merged = {**_everywhere(spec), **_device(spec), **site.environment(spec.cluster), **spec.env.variables}
    return dict(sorted(merged.items()))


def _everywhere(spec: AnySpec) -> dict[str, str]:
    return {
        "OMP_NUM_THREADS": str(spec.launch.threads_per_rank),
        # Nothing that runs may write into the bundle, bytecode included.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        # Hash order is the only thing that Python randomises by itself.
        "PYTHONHASHSEED": "0",
    }


def _device(spec: AnySpec) -> dict[str, str]:
    if spec.hardware.device == "cpu":
        return {"DS_ACCELERATOR": "cpu"}
    return {
        "DS_ACCELERATOR": "cuda",
        # The last collectives of each rank, written when one of them times out; the runtime says where.
        "TORCH_NCCL_TRACE_BUFFER_SIZE": "2000",
        "TORCH_NCCL_DUMP_ON_TIMEOUT": "1",
        # Kernels of cuBLAS repeat bit for bit only with a fixed workspace (torch's notes on reproducibility).
        **({"CUBLAS_WORKSPACE_CONFIG": ":4096:8"} if spec.experiment.deterministic else {}),
    }
