"""The bundle of a pipeline: a whole bundle for each stage, and what starts them in order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from cfgc import __version__
from cfgc.emit.bundle import Bundle, emit_bundle
from cfgc.emit.canonical import digest_of, plan_digest
from cfgc.emit.manifest import FORMAT, NAME, output_of, sealed
from cfgc.emit.pipeline_md import pipeline_md
from cfgc.emit.scripts import needed_variables
from cfgc.emit.shell import Sh, path_expression, render_script, word
from cfgc.emit.slurm.submit import needed_to_submit
from cfgc.stages.layer import FOLDER

if TYPE_CHECKING:
    from cfgc.stages.pipeline import PipelinePlan

SCRIPTS = ("launch.sh", "submit.sh")


def emit_pipeline(plan: PipelinePlan) -> Bundle:
    """All files, those of the stages below ``stages/<name>``."""
    files: dict[PurePosixPath, bytes] = {}
    executable = {PurePosixPath(script) for script in SCRIPTS}
    for stage in plan.stages:
        bundle = emit_bundle(stage.plan)
        below = PurePosixPath(FOLDER, stage.name)
        files |= {below / path: data for path, data in bundle.files.items()}
        executable |= {below / path for path in bundle.executable}
    digest = digest_of(digests_of(plan))
    texts = {
        "PLAN.md": pipeline_md(plan, digest),
        ".gitattributes": "* -text\n",
        **{script: render_script(f"pipeline/{script}.j2", **_values(plan)) for script in SCRIPTS},
    }
    files |= {PurePosixPath(name): text.encode() for name, text in texts.items()}
    files[PurePosixPath(NAME)] = _manifest(plan, digest, files, frozenset(executable)).encode()
    return Bundle(plan.name, MappingProxyType(files), frozenset(executable))


def digests_of(plan: PipelinePlan) -> list[dict[str, object]]:
    """What the pipeline means: its stages, what they need, and what their plans mean."""
    return [
        {"name": stage.name, "needs": list(stage.needs), "plan_digest": plan_digest(stage.plan)}
        for stage in plan.stages
    ]


def _values(plan: PipelinePlan) -> Mapping[str, object]:
    needed = {name for stage in plan.stages for name in needed_variables(stage.plan)}
    submitted = {name for stage in plan.stages for name in needed_to_submit(stage.plan)}
    several = [stage.name for stage in plan.stages if stage.plan.topology.nodes > 1]
    return {
        "name": word(plan.name),
        "order": Sh(", ".join(word(stage.name) for stage in plan.stages)),
        "run_dir": path_expression(plan.run_dir),
        "needed": [word(name) for name in sorted(needed)],
        "needed_to_submit": [word(name) for name in sorted(submitted)],
        "several": Sh(f"stage {word(several[0])}" if several else ""),
        "stages": [
            {"name": word(stage.name), "digest": plan_digest(stage.plan), "needs": [word(one) for one in stage.needs]}
            for stage in plan.stages
        ],
    }


def _manifest(
    plan: PipelinePlan, digest: str, files: Mapping[PurePosixPath, bytes], executable: frozenset[PurePosixPath]
) -> str:
    outputs = {path.as_posix(): output_of(data, path in executable) for path, data in sorted(files.items())}
    return sealed(
        {
            "format": FORMAT,
            "cfgc_version": __version__,
            "experiment": plan.name,
            "root": plan.root,
            "stages": digests_of(plan),
            "plan_digest": digest,
            "bundle_digest": digest_of(outputs),
            "inputs": [{"path": item.logical, "sha256": item.sha256} for item in plan.inputs],
            "overrides": plan.overrides,
            "outputs": outputs,
        }
    )
