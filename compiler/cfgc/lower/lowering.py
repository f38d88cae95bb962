"""The lower phase: a checked spec becomes the plan."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import triple_of
from cfgc.deepspeed.of_spec import REASON, deepspeed_config
from cfgc.load.graph import Input
from cfgc.lower import numbers, sections
from cfgc.lower.launch import launch
from cfgc.lower.package import archive, package
from cfgc.lower.plan import AnyPlan, Plan, Review
from cfgc.lower.provenance import provenance
from cfgc.lower.slurm import slurm
from cfgc.lower.task import task_plan
from cfgc.lower.tracking import tracking
from cfgc.lower.warned import warned
from cfgc.schema.spec import TaskSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc.schema.spec import Spec
    from cfgc.usercode.code import UserCode
    from cfgc.validate.checker import Checked


def lower_spec(checked: Checked) -> AnyPlan:
    """Every number of the run. A spec that was checked always has a plan."""
    spec, review = checked.spec, _review(checked)
    code = checked.resolved.code
    plan = task_plan(spec, code, review) if isinstance(spec, TaskSpec) else _meaning(spec, code, review)
    plan = replace(plan, archive=archive(spec, code))
    lines = provenance(spec, checked.resolved, plan)
    return replace(plan, review=replace(plan.review, provenance=lines), sweep=checked.sweep)


def _meaning(spec: Spec, code: UserCode, review: Review) -> Plan:
    triple = triple_of(spec)
    assert triple is not None, "rules refuse a spec without a batch triple"
    precision = spec.training.precision
    assert precision != "fp8", "refused as not supported yet"
    ds_config = deepspeed_config(spec, triple)
    batch, topology, estimate = numbers.batch(spec, triple), numbers.topology(spec), numbers.estimate(spec)
    return Plan(
        experiment=sections.experiment(spec),
        target=sections.target(spec),
        topology=topology,
        work="evaluate" if spec.task.kind == "evaluate" else "train",
        weights=sections.weights(spec),
        batch=batch,
        schedule=numbers.schedule(spec, batch),
        precision=precision,
        zero_stage=spec.deepspeed.zero.stage,
        compile=spec.training.compile,
        model=numbers.model(spec),
        optimizer=sections.optimizer(spec),
        data=sections.data(spec),
        evaluation=sections.evaluation(spec, triple.micro_batch_size),
        early_stopping=sections.early_stopping(spec),
        gradient_health=sections.gradient_health(spec),
        penalties=sections.penalties(spec),
        checkpoint=numbers.checkpoint(spec),
        tracking=tracking(spec, topology, estimate),
        calls=sections.calls(spec),
        package=package(code),
        launch=launch(spec, ds_config),
        slurm=slurm(spec),
        estimate=estimate,
        ds_config=ds_config,
        review=review,
    )


def _review(checked: Checked) -> Review:
    """What a reviewer looks at; the lines of resolved.toml come once the plan is there."""
    spec, graph = checked.spec, checked.resolved.graph
    raw = {} if isinstance(spec, TaskSpec) else spec.deepspeed.raw
    return Review(
        provenance=(),
        inputs=(*graph.inputs, *_script_of(checked)),
        root=graph.root.logical,
        overlays=tuple(sorted(graph.overlays.items())),
        overrides=graph.overrides,
        raw_keys=tuple(_dotted({key: value for key, value in raw.items() if key != REASON})),
        raw_reason=str(raw.get(REASON, "")),
        waivers=tuple(sorted(spec.checks.allow.items())),
        removed=tuple((path, str(origin.layer)) for path, origin in sorted(checked.resolved.removed.items())),
        warnings=warned(checked.warnings),
    )


def _dotted(table: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _script_of(checked: Checked) -> Iterator[Input]:
    script, code = checked.spec.task.script, checked.resolved.code.script
    if script is not None and code is not None:
        yield Input(script, hashlib.sha256(code).hexdigest())
