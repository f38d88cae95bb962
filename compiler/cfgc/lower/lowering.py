"""The lower phase: a checked spec becomes the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cfgc.arithmetic.of_spec import triple_of
from cfgc.deepspeed.of_spec import REASON, deepspeed_config, raw_keys
from cfgc.lower import numbers, sections
from cfgc.lower.launch import launch
from cfgc.lower.plan import Plan, Review
from cfgc.lower.provenance import provenance
from cfgc.lower.slurm import slurm
from cfgc.lower.tracking import tracking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cfgc.schema.spec import Spec
    from cfgc.validate.checker import Checked


def lower_spec(checked: Checked) -> Plan:
    """Every number of the run. A spec that was checked always has a plan."""
    spec = checked.spec
    plan = _meaning(spec, _review(checked))
    lines = provenance(spec, checked.resolved, plan)
    return replace(plan, review=replace(plan.review, provenance=lines))


def _meaning(spec: Spec, review: Review) -> Plan:
    triple = triple_of(spec)
    assert triple is not None, "rules refuse a spec without a batch triple"
    precision = spec.training.precision
    assert precision != "fp8", "refused as not supported yet"
    batch = numbers.batch(spec, triple)
    return Plan(
        experiment=sections.experiment(spec),
        target=sections.target(spec),
        topology=numbers.topology(spec),
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
        checkpoint=numbers.checkpoint(spec),
        tracking=tracking(spec),
        calls=sections.calls(spec),
        launch=launch(spec),
        slurm=slurm(spec),
        estimate=numbers.estimate(spec),
        ds_config=deepspeed_config(spec, triple),
        review=review,
    )


def _review(checked: Checked) -> Review:
    """What a reviewer looks at; the lines of resolved.toml come once the plan is there."""
    spec, graph = checked.spec, checked.resolved.graph
    return Review(
        provenance=(),
        inputs=graph.inputs,
        root=graph.root.logical,
        overlays=tuple(sorted(graph.overlays.items())),
        overrides=graph.overrides,
        raw_keys=tuple(_dotted(raw_keys(spec))),
        raw_reason=str(spec.deepspeed.raw.get(REASON, "")),
        waivers=tuple(sorted(spec.checks.allow.items())),
    )


def _dotted(table: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
