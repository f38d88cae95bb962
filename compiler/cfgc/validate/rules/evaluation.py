"""Held-out loss, early stopping, and the data they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count as count_from
from typing import TYPE_CHECKING

from cfgc.arithmetic.data import holds_out
from cfgc.arithmetic.of_spec import evaluation_steps_of, max_steps_of, triple_of
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, count, error, warning
from cfgc.validate.rules.intervals import interval_key, length_place, ten_times

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

EVERY, PATIENCE, FRACTION = "evaluation.every_steps", "training.early_stopping.patience", "data.eval_fraction"
SOURCES = ("data", "sources")
THRESHOLD = "training.early_stopping.threshold"


def early_stopping_has_evaluations(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG432: early stopping counts evaluations, so that there must be some."""
    patience = spec.training.early_stopping.patience
    if patience == 0 or evaluation_steps_of(spec) > 0:
        return
    steps = max_steps_of(spec) or 1000
    yield error(
        "CFG432",
        "early stopping never sees an evaluation",
        resolved,
        [At(PATIENCE, f"waits for {count(patience, 'evaluation')}"), At(EVERY, "0: no evaluation while training")],
        (),
        (f"set `evaluation.every_steps = {max(1, steps // 20)}`, or `early_stopping.patience = 0`",),
    )


def evaluation_has_samples(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG433: samples are held out for the evaluations."""
    every, key = evaluation_steps_of(spec), interval_key(spec, "evaluation")
    if spec.task.kind == "evaluate" and not holds_out(spec):
        yield error(
            "CFG433",
            "there is nothing to evaluate on",
            resolved,
            [At(FRACTION, "no sample is held out"), At("task.kind", "takes the loss of held-out samples")],
            (),
            ("set `data.eval_fraction = 0.01`, as the run that trained the weights had it",),
        )
        return
    if every == 0 or holds_out(spec):
        return
    yield error(
        "CFG433",
        "there is nothing to evaluate on",
        resolved,
        [At(FRACTION, "no sample is held out"), At(key, f"an evaluation every {count(every, 'step')}")],
        (),
        (f"set `data.eval_fraction = 0.01`, or `{key} = 0`",),
    )


def evaluation_happens(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG434: the run is long enough for one evaluation."""
    every, steps = evaluation_steps_of(spec), max_steps_of(spec)
    if steps is None or every <= steps:
        return
    key = interval_key(spec, "evaluation")
    yield warning(
        "CFG434",
        "the run ends before its first evaluation",
        resolved,
        [At(key, f"first after {count(every, 'step')}"), length_place(spec, steps)],
        (),
        (f"set {ten_times(spec, 'evaluation', steps)}, or `{key} = 0` to evaluate at the end only",),
    )


def threshold_has_patience(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG437: a threshold belongs to an early stopping that is on."""
    said = spec.training.early_stopping
    if said.patience > 0 or said.threshold == 0:
        return
    yield warning(
        "CFG437",
        "`training.early_stopping.threshold` has no effect without `patience`",
        resolved,
        [At(THRESHOLD, "has no effect"), At(PATIENCE, "0: never stops early")],
        (),
        ("set `early_stopping.patience = 3`, or drop the threshold",),
    )


def evaluation_keys_are_read(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG437: how to evaluate is said where an evaluation happens."""
    said, triple = spec.evaluation, triple_of(spec)
    if evaluation_steps_of(spec) > 0 or (said.at_end and holds_out(spec)):
        return
    usual = triple.micro_batch_size if triple else None
    keys = {
        "evaluation.micro_batch_size": said.micro_batch_size not in (None, usual),
        "evaluation.max_batches": said.max_batches > 0,
        "data.max_eval_samples": spec.data.max_eval_samples > 0 and not spec.data.streaming.enabled,
    }
    by = At(FRACTION, "nothing is held out") if said.at_end else At("evaluation.at_end", "none at the end either")
    for key, idle in keys.items():
        if idle:
            yield warning(
                "CFG437",
                f"`{key}` has no effect without an evaluation",
                resolved,
                [At(key, "has no effect"), by, At(EVERY, "0: no evaluation while training")],
                (),
                (f"drop `{key.partition('.')[2]}`, or evaluate",),
            )


def source_names_differ(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG439: every source of data has its own name."""
    names = [source.name for source in spec.data.sources]
    for name in sorted({name for name in names if names.count(name) > 1}):
        first, *others = (position for position, other in enumerate(names) if other == name)
        yield error(
            "CFG439",
            f'{names.count(name)} data sources are called "{name}"',
            resolved,
            [
                *(At("data.sources", "the same name again", (position, "name")) for position in others),
                At("data.sources", "the first of the name", (first, "name")),
            ],
            ("metrics and messages name a source, and could not tell them apart",),
            (f'give each its own name, such as `name = "{name}-2"`',),
            _own_names(resolved, name, others, names),
        )


def _own_names(resolved: Resolved, name: str, others: Sequence[int], names: Sequence[str]) -> tuple[Fix, ...]:
    """A number behind the name of every source but the first that has it."""
    free = (new for number in count_from(2) if (new := f"{name}-{number}") not in names)
    edits = [
        edit
        for at, new in zip(others, free, strict=False)
        for edit in Remedy(resolved).set((*SOURCES, at, "name"), new)
    ]
    return one_fix(edits)
