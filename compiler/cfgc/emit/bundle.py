"""The bundle in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from cfgc.lower.plan import AnyPlan, Plan, TaskPlan


@dataclass(frozen=True)
class Bundle:
    """The emitted directory: bytes by path, ``executable`` among them."""

    name: str
    files: Mapping[PurePosixPath, bytes]
    executable: frozenset[PurePosixPath]


EXECUTABLE = frozenset({PurePosixPath("launch.sh"), PurePosixPath("submit.sh")})


def emit_bundle(plan: AnyPlan) -> Bundle:
    """All files of the bundle, manifest.json included."""
    from cfgc.emit.canonical import bundle_plan_digest, plan_digest
    from cfgc.emit.config_py import config_py
    from cfgc.emit.ds_config import ds_config_json
    from cfgc.emit.manifest import NAME, manifest_json
    from cfgc.emit.origins_json import origins_json
    from cfgc.emit.resolved_toml import resolved_toml
    from cfgc.emit.scripts import launch_sh
    from cfgc.emit.slurm.job import job_sbatch
    from cfgc.emit.slurm.submit import submit_sh
    from cfgc.emit.values_json import values_json
    from cfgc.emit.vendored import vendored_runtime

    digest, own_digest = bundle_plan_digest(plan), plan_digest(plan)
    texts = {
        "PLAN.md": _review(plan, digest),
        "resolved.toml": resolved_toml(plan),
        "config.py": config_py(plan, own_digest),
        "values.json": values_json(plan),
        "origins.json": origins_json(plan),
        "launch.sh": launch_sh(plan),
        "job.sbatch": job_sbatch(plan, digest),
        "submit.sh": submit_sh(plan),
        ".gitattributes": "* -text\n",
    }
    if plan.calls:
        from cfgc.emit.wiring_py import wiring_py  # and LibCST, which takes as long as all else

        texts["wiring.py"] = wiring_py(plan.calls)
    if plan.sweep.points:
        from cfgc.emit.points_jsonl import NAME as POINTS
        from cfgc.emit.points_jsonl import points_jsonl

        texts[POINTS] = points_jsonl(plan)
    if isinstance(plan, Plan):
        texts["ds_config.json"] = ds_config_json(plan)
    files = {PurePosixPath(name): text.encode() for name, text in texts.items()} | dict(vendored_runtime())
    if isinstance(plan, TaskPlan) and plan.task.script:
        files[PurePosixPath(plan.task.script)] = plan.script
    if plan.package.sha256:
        from cfgc.emit.package import package_files

        files |= package_files(plan.archive)
    files[PurePosixPath(NAME)] = manifest_json(plan, digest, files, EXECUTABLE).encode()
    return Bundle(plan.experiment.name, MappingProxyType(files), EXECUTABLE)


def _review(plan: AnyPlan, digest: str) -> str:
    """PLAN.md, by what is done."""
    from cfgc.emit.evaluation_md import evaluation_md
    from cfgc.emit.plan_md import plan_md
    from cfgc.emit.task_md import task_md

    if isinstance(plan, TaskPlan):
        return task_md(plan, digest)
    return evaluation_md(plan, digest) if plan.work == "evaluate" else plan_md(plan, digest)
