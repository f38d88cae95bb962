"""Another type for the optimizer or the scheduler, with parameters that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import Entry, Json
from cfgc.deepspeed.rules.facts import stage_of
from cfgc.deepspeed.rules.optimizer_classes import PARAMS, TESTED, TYPE, built
from cfgc.deepspeed.rules.schedule_classes import SCHEDULER_PARAMS, SCHEDULER_TYPE, schedule
from cfgc.diagnostics.model import Edit

ALIKE = {
    **dict.fromkeys(("T_max", "T_0", "total_steps", "total_iters"), "total_num_steps"),
    "base_lr": "cycle_min_lr",
    "max_lr": "cycle_max_lr",
}
"""Parameters of torch's schedulers, by what DeepSpeed's own call the same."""

UNTESTED = "zero_allow_untested_optimizer"


def optimizer_edits(case: Case, name: str) -> tuple[Edit, ...]:
    """The optimizer becomes ``name``; parameters that it does not take go, and ZeRO is told when it was not tested."""
    made = built(_with(case, TYPE, name))
    edits = [case.set(TYPE, name)]
    if made is not None and made.takes:
        edits += _drops(case, PARAMS, sorted(made.takes))
    if made is not None and made.name not in TESTED and stage_of(case) and not case.flag(UNTESTED):
        edits.append(case.set(UNTESTED, True))
    return tuple(edits)


def scheduler_edits(case: Case, name: str) -> tuple[Edit, ...]:
    """The scheduler becomes ``name``; parameters that it does not take go, and those that it needs come."""
    made = schedule(_with(case, SCHEDULER_TYPE, name))
    edits = [case.set(SCHEDULER_TYPE, name)]
    if made is None:
        return tuple(edits)
    missing = [key for key in made.required if not case.written(f"{SCHEDULER_PARAMS}.{key}")]
    if not made.has_params:
        return (*edits, case.set(SCHEDULER_PARAMS, {key: example_of(key) for key in missing}))
    for key, _ in case.config.below(path_of(SCHEDULER_PARAMS)):
        if key not in made.takes and ALIKE.get(key) in missing:
            missing.remove(ALIKE[key])
            edits.append(case.move(f"{SCHEDULER_PARAMS}.{key}", f"{SCHEDULER_PARAMS}.{ALIKE[key]}"))
        elif key not in made.takes:
            edits.append(case.drop(f"{SCHEDULER_PARAMS}.{key}"))
    edits += [case.set(f"{SCHEDULER_PARAMS}.{key}", example_of(key)) for key in missing]
    return tuple(edits)


def fitting_scheduler(case: Case) -> str:
    """A type of DeepSpeed's own that takes every parameter that is there, and lacks none."""
    written = {name for name, _ in case.config.below(("scheduler", "params"))}
    for name in ("WarmupLR", *case.release.schedulers):
        made = schedule(_with(case, SCHEDULER_TYPE, name))
        if made is not None and set(made.required) <= written <= set(made.takes):
            return name
    return "WarmupLR"


def fitting_optimizer(case: Case) -> str:
    """SGD for parameters that only it has, else AdamW."""
    return "SGD" if case.written(f"{PARAMS}.momentum") or case.written(f"{PARAMS}.nesterov") else "AdamW"


def example_of(name: str) -> Json:
    """A value for a parameter without a default."""
    examples: dict[str, Json] = {
        "total_num_steps": 10000,
        "milestones": [1000, 2000],
        "gamma": 0.95,
        "cycle_min_lr": 1e-5,
        "base_lr": 1e-5,
        "max_lr": 1e-3,
        "cycle_max_lr": 1e-3,
    }
    return examples.get(name, 1000)


def _with(case: Case, dotted: str, value: Json) -> Case:
    """The case as if the key had this value."""
    path = path_of(dotted)
    entry = replace(case.config.get(path) or Entry(value), value=value)
    return replace(case, config=replace(case.config, entries={**case.config.entries, path: entry}))


def _drops(case: Case, table: str, takes: Sequence[str]) -> Iterator[Edit]:
    for name, _ in case.config.below(path_of(table)):
        if name not in takes:
            yield case.drop(f"{table}.{name}")
