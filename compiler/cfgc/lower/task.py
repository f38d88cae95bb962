"""The plan of a task of the user's own: no arithmetic, but the same ranks, launch and review."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from cfgc.lower import plan, sections
from cfgc.lower.launch import launch
from cfgc.lower.numbers import ranks
from cfgc.lower.package import package
from cfgc.lower.slurm import slurm
from cfgc.usercode.scripts import interpreter_of

if TYPE_CHECKING:
    from cfgc.schema.spec import TaskSpec
    from cfgc.usercode.code import UserCode

FOLDER = "script"
"""Where a bundle carries its script."""


def task_plan(spec: TaskSpec, code: UserCode, review: plan.Review) -> plan.TaskPlan:
    """Everything that is known before a task runs."""
    script = (spec.task.inline or "").encode() if spec.task.script is None else code.script or b""
    releases = sections.target(spec)
    return plan.TaskPlan(
        experiment=sections.experiment(spec),
        target=releases
        if spec.task.uses_deepspeed or _kind(spec) == "export"
        else plan.Target("", releases.torch, releases.slurm),
        topology=ranks(spec),
        task=_task(spec, script),
        calls=sections.calls(spec),
        package=package(code),
        launch=replace(launch(spec), watchdog_s=0),  # which counts steps
        slurm=slurm(spec),
        script=script,
        review=review,
    )


def _task(spec: TaskSpec, script: bytes) -> plan.Task:
    said = spec.task
    directory = plan.NodePath("cwd", "", ".")
    kind = _kind(spec)
    path = "" if kind != "script" else f"{FOLDER}/{PurePosixPath(said.script or 'inline').name}"
    interpreter = () if kind != "script" else interpreter_of(said.script or "", script)
    assert interpreter is not None, "a rule refuses a script that nothing runs"
    return plan.Task(
        kind=kind,
        target=said.target or "",
        script=path,
        script_sha256="" if kind != "script" else hashlib.sha256(script).hexdigest(),
        interpreter=interpreter,
        args=said.args,
        environment=tuple(sorted(said.env.items())),
        paths=tuple((name, sections.node_path(path)) for name, path in sorted(said.paths.items())),
        working_directory=sections.node_path(said.working_directory) if said.working_directory else directory,
        checkpoint=sections.node_path(said.checkpoint) if said.checkpoint else directory,
        format=said.format,
        dtype=said.dtype or "",
    )


def _kind(spec: TaskSpec) -> Literal["function", "script", "export"]:
    if spec.task.target is not None:
        return "function"
    return "export" if spec.task.script is None and spec.task.inline is None else "script"
