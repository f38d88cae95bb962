"""``[deepspeed.raw]``: what is copied to ds_config.json verbatim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from cfgc.deepspeed.of_spec import REASON
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error, warning
from cfgc.validate.rules.raw_keys import OWNED

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

RAW = "deepspeed.raw"
WHY = "why cfgc has no key for this"
REPORTS = ("tensorboard", "wandb", "csv_monitor", "comet", "flops_profiler", "comms_logger")
"""Sections that make DeepSpeed write or send numbers of its own."""

TRACKERS = {"tensorboard": "tensorboard", "wandb": "wandb", "csv_monitor": "csv"}
"""Those that the runtime has too: with every metric, and without the lines that a resumed run repeats."""


def raw_keys_are_free(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG520: a fact that has a key of its own is not said a second time."""
    for path in _paths(spec.deepspeed.raw):
        home = OWNED.get(path)
        if home is None:
            continue
        yield error(
            "CFG520",
            f"`{path}` has one home, and it is not `[{RAW}]`",
            resolved,
            [At(f"{RAW}.{path}", "a second truth"), At(home, "its home")],
            ("every other file of the bundle is computed from the spec's own key",),
            (f"drop it here, and set `{home}`" if home else "drop it; the runtime depends on the value in the bundle",),
        )


def raw_has_a_reason(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG521: whoever reviews the bundle sees why."""
    raw = spec.deepspeed.raw
    reason = raw.get(REASON)
    if not raw or (isinstance(reason, str) and reason.strip()):
        return
    places = [At(f"{RAW}.{REASON}", "this says nothing")] if REASON in raw else []
    places += [At(f"{RAW}.{path}", "copied without a check") for path in islice(_paths(raw), 1)]
    yield error(
        "CFG521",
        "raw DeepSpeed keys need a reason",
        resolved,
        places,
        ("the reason is shown to the reviewer in PLAN.md",),
        (f'add `reason = "{WHY}"` to `[deepspeed.raw]`',),
        one_fix(Remedy(resolved).set((*RAW.split("."), REASON), WHY)),
    )


def raw_values_are_concrete(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG524: a value is one that JSON has, and not ``auto``."""
    for path, value in _leaves(spec.deepspeed.raw):
        if value == "auto":
            yield error(
                "CFG524",
                f'`{path}` is "auto", which DeepSpeed alone cannot resolve',
                resolved,
                [At(f"{RAW}.{path}", "no value")],
                ("another tool fills such values in; in a bundle every value is final",),
                ("write the value itself, or drop the key",),
            )
        elif not is_json(value):
            yield error(
                "CFG524",
                f"`{path}` is a date or a time, which JSON does not have",
                resolved,
                [At(f"{RAW}.{path}", "no JSON value")],
                (),
                ("write it in quotes",),
            )


def raw_turns_on_no_report(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG525: metrics have one home; raw keys are the way past that, and not in silence."""
    for key in REPORTS:
        section = spec.deepspeed.raw.get(key)
        if not isinstance(section, dict) or section.get("enabled") is not True:
            continue
        yield warning(
            "CFG525",
            f"`{key}` makes DeepSpeed report by itself, beside the runtime's metrics",
            resolved,
            [At(f"{RAW}.{key}.enabled", "not the runtime's")],
            ("cfgc does not check its packages, network and files, and a resumed run may repeat lines",),
            (
                f"drop it, and set `tracking.{own} = true`; the runtime reports every number there, no step twice"
                if (own := TRACKERS.get(key))
                else "drop it; metrics.jsonl in the run directory has every number",
                'or waive it: `allow.CFG525 = "why"` under `[checks]`',
            ),
        )


def _paths(raw: Mapping[str, object]) -> Iterator[str]:
    """Dotted keys of every value but the reason, and of every table on the way."""
    yield from dict.fromkeys(path for path in _all_paths(raw, "") if path != REASON)


def _all_paths(table: Mapping[str, object], prefix: str) -> Iterator[str]:
    for key, value in table.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _all_paths(value, f"{prefix}{key}.")


def _leaves(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif f"{prefix}{key}" != REASON:
            yield f"{prefix}{key}", value


def is_json(value: object) -> bool:
    """Whether JSON has such a value; not a date."""
    if isinstance(value, list | tuple):
        return all(is_json(item) for item in value)
    if isinstance(value, dict):
        return all(is_json(item) for item in value.values())
    return isinstance(value, str | int | float | bool)
