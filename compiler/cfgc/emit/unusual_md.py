"""PLAN.md: what is unusual about a run, so that a reviewer need not look for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from cfgc.diagnostics.explain import title
from cfgc.emit.markdown import code, counted, duration, text
from cfgc.emit.package import unusual_code
from cfgc.emit.work_md import expected_seconds, hours
from cfgc.lower.plan import AnyPlan, Plan, Provenance, Review, Warned
from cfgc.lower.provenance import LONGEST, shown
from cfgc.origin import Path, dotted

_SHOWN = 12
"""Values that broadcasts set; resolved.toml has the others."""


def unusual(plan: AnyPlan) -> list[str]:
    """A line for each thing; one that says so where there is none."""
    return _listed(_found(plan))


def unusual_of_stages(plans: Mapping[str, AnyPlan], overrides: Sequence[str], warnings: Sequence[Warned]) -> list[str]:
    """The same of a pipeline: each thing with the stages that it is said of, unless it is all of them.

    ``warnings`` are all that the compiler gave, those of stages too.
    """
    of_stages = {one for plan in plans.values() for one in plan.review.warnings}
    own = [*_warnings([one for one in warnings if one not in of_stages]), *(f"override: {code(o)}" for o in overrides)]
    stages: dict[str, list[str]] = {line: list(plans) for line in own}
    for name, plan in plans.items():
        for line in _found(plan):
            said = stages.setdefault(line, [])
            said += [name] if name not in said else []
    found = [line if len(of) == len(plans) else f"{', '.join(map(code, of))}: {line}" for line, of in stages.items()]
    return _listed(found)


def _listed(found: Sequence[str]) -> list[str]:
    nothing = "Nothing: no warning, none waived, no override, no raw DeepSpeed key, and no safeguard is off."
    return ["## What is unusual", "", *([f"- {line}" for line in found] or [nothing])]


def _warnings(warnings: Sequence[Warned]) -> Iterator[str]:
    """Code, sentence and place of each, as the terminal had them; ``cfgc check`` says what to do."""
    for one in warnings:
        line = one.line if len(one.line) <= LONGEST else one.line[: LONGEST - 1] + "…"
        place = f" ({code(one.file)}{f': {code(line)}' if line else ''})" if one.file else ""
        yield f"warning: {code(one.code)}: {_sentence(one.message)}{place}"


def _sentence(message: str) -> str:
    """A message with what it has between backticks as code."""
    parts = message.split("`")
    pairs = len(parts) % 2 == 1
    return "".join(code(part) if at % 2 else text(part) for at, part in enumerate(parts)) if pairs else text(message)


def _found(plan: AnyPlan) -> list[str]:
    return [
        *_warnings(plan.review.warnings),
        *_told(plan),
        *(_of_training(plan) if isinstance(plan, Plan) else ()),
        *_of_any(plan),
    ]


def chosen(plan: AnyPlan) -> list[str]:
    """What the run is made of: overlays, tags, seed."""
    review, experiment = plan.review, plan.experiment
    overlays = ", ".join(code(f"{group} = {option}") for group, option in review.overlays)
    tags = ", ".join(map(code, experiment.tags))
    repeats = "deterministic" if experiment.deterministic else "not deterministic"
    parts = [f"overlays {overlays}" if overlays else "no overlays", *([f"tags {tags}"] if tags else [])]
    return [f"Made with {' · '.join(parts)} · {repeats}, seed {experiment.seed}."]


def _told(plan: AnyPlan) -> Iterator[str]:
    """What somebody asked for against the files, the schema or a rule."""
    review = plan.review
    yield from _overridden(review)
    yield from (f"unset by {text(layer)}: {code(dotted(path))}" for path, layer in _unset(review))
    if review.raw_keys:
        yield f"raw DeepSpeed keys: {', '.join(map(code, review.raw_keys))}, because: {text(review.raw_reason)}"
    for waived, reason in review.waivers:
        yield f"waived: {code(waived)} ({text(title(waived))}), because: {text(reason)}"


def _overridden(review: Review) -> Iterator[str]:
    """Each override with what it replaced, and the values that a broadcast set."""
    typed = {dotted(line.path): line for line in review.provenance if _is_typed(line)}
    for override in review.overrides:
        line = typed.pop(re.split(r"[-+*/]?=", override, maxsplit=1)[0], None)
        told = line.comment.removeprefix("command line").lstrip(":, ") if line else ""
        yield f"override: {code(override)}" + (f": {text(told)}" if told else "")
    for line in islice(typed.values(), _SHOWN):
        yield f"set by an override: {code(f'{dotted(line.path)} = {shown(line.value)}')}, {text(line.comment)}"
    if len(typed) > _SHOWN:
        yield f"set by an override: {counted(len(typed) - _SHOWN, 'more value')}, in resolved.toml"


def _is_typed(line: Provenance) -> bool:
    return line.origin is not None and line.origin.layer.kind == "command line" and not line.derived


def _unset(review: Review) -> Iterator[tuple[Path, str]]:
    """Keys that a layer unset and none sets since, and that layer; those too that have their default again."""
    yield from review.removed
    for line in review.provenance:
        below = line.origin.replaced if line.origin and not line.derived else None
        if below and below.removed:
            yield line.path, str(below.layer)


def _of_training(plan: Plan) -> Iterator[str]:
    """Safeguards that are off, and promises that do not hold."""
    yield from _memory(plan)
    if plan.work == "train":
        yield from _of_numerics(plan)
        yield from _of_progress(plan)
    if plan.data.max_bad_records:
        yield f"up to {counted(plan.data.max_bad_records, 'bad record')} are left out, and named in the log"
    if plan.calls:
        roles = ", ".join(dict.fromkeys(call.role for call in plan.calls))
        yield f"code of your own decides: {roles}"
    yield from _network(plan)


def _memory(plan: Plan) -> Iterator[str]:
    if plan.topology.device == "cuda" and not plan.estimate.device_bytes:
        yield "whether it fits was not checked: `hardware.memory` is not known"
    elif not plan.model.parameters:
        yield "whether it fits was not checked: the size of the model is known on the node only"


def _of_numerics(plan: Plan) -> Iterator[str]:
    if not plan.optimizer.gradient_clipping and not plan.gradient_health.enabled:
        yield "gradients are not clipped"
    if plan.checkpoint.on_changed_numerics == "continue":
        yield "it goes on from a checkpoint even where the numerics have changed since"
    if plan.checkpoint.elastic:
        yield "it goes on with another number of ranks, where the loss is the same within a tolerance only"


def _of_progress(plan: Plan) -> Iterator[str]:
    if plan.launch.watchdog_s == 0:
        yield "the watchdog is off"
    said = plan.evaluation
    if not said.at_end and not 0 < said.every_steps <= plan.schedule.max_steps:
        yield "nothing is evaluated"
    if not 0 < plan.checkpoint.every_steps < plan.schedule.max_steps:
        yield "nothing is saved before the end, unless it is asked to stop"
    needed, room = expected_seconds(plan), plan.launch.time_limit_s * plan.launch.max_attempts
    if needed > room:
        yield f"it needs {hours(needed)} by the estimate above, and all attempts together have {duration(room)}"


def _network(plan: Plan) -> Iterator[str]:
    tracking = plan.tracking
    if tracking.wandb.enabled and tracking.wandb.mode == "online":
        yield "metrics and the spec's values go over the network, to W&B"
    if tracking.mlflow.enabled and tracking.mlflow.uri and not tracking.mlflow.uri.startswith("file:"):
        yield f"metrics and the spec's values go over the network, to {code(tracking.mlflow.uri)}"


def _of_any(plan: AnyPlan) -> Iterator[str]:
    if not plan.experiment.deterministic:
        yield "not deterministic: a second run does not give the same numbers"
    if plan.launch.restart:
        yield "`launch.sh` starts again by itself after a killed, lost or hung rank"
    yield from unusual_code(plan.archive)
