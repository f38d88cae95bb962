"""Sections that are filled and not switched on, and switches that do not switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.diagnostics.model import Fix

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

SWITCHED = (
    *("tensorboard", "wandb", "csv_monitor", "comet", "comms_logger", "flops_profiler", "autotuning"),
    *("expert_parallel", "data_efficiency.data_sampling.dynamic_batching", "data_efficiency.data_routing.random_ltd"),
    *("data_efficiency.data_sampling.curriculum_learning", "bf16", "torch_autocast", "hybrid_engine"),
)
"""Sections with an `enabled` that is false when it is left out, and that do nothing else."""

INNER = (
    ("data_efficiency.data_sampling.curriculum_learning", "data_efficiency.data_sampling", "data_efficiency"),
    ("data_efficiency.data_routing.random_ltd", "data_efficiency.data_routing", "data_efficiency"),
)
"""Sections that act whatever the `enabled` of those around them says."""


def filled_sections_are_on(case: Case) -> Iterator[Diagnostic]:
    """CFG597: a section that is filled says whether it is on."""
    for section in SWITCHED:
        entry = case.config.get(path_of(section))
        known = case.release.key(path_of(section))
        if entry is None or known is None or known.refused or not isinstance(entry.value, dict) or not entry.value:
            continue
        if any(key.lower() in ("enable", "enabled", "is_enabled") for key in entry.value):
            continue
        yield case.warning(
            "CFG597",
            f"`{section}` is filled and not switched on",
            [At(section, "off, since it has no `enabled`")],
            ("DeepSpeed reads the section and does nothing with it",),
            (f'add `"enabled": true` in `{section}`', "or leave the section out"),
            (Fix((case.set(f"{section}.enabled", True),)), Fix((case.drop(section),))),
        )


def outer_switches_act(case: Case) -> Iterator[Diagnostic]:
    """CFG596: what stands in a section that is off is off too."""
    for inner, *around in INNER:
        off = [name for name in around if case.written(f"{name}.enabled") and case.value(f"{name}.enabled") is False]
        if not off or not case.flag(f"{inner}.enabled"):
            continue
        yield case.error(
            "CFG596",
            f"`{inner}` acts, although `{off[0]}` is off",
            [At(f"{name}.enabled", "not asked for") for name in off]
            + [At(f"{inner}.enabled", "all that DeepSpeed asks for")],
            ("DeepSpeed's engine never reads the outer switches",),
            (f'write `"enabled": true` in `{off[0]}`', f'or `"enabled": false` in `{inner}`'),
            (
                Fix(tuple(case.set(f"{name}.enabled", True) for name in off)),
                Fix((case.set(f"{inner}.enabled", False),)),
            ),
        )


def datastates_is_off(case: Case) -> Iterator[Diagnostic]:
    """CFG596: a table for DataStates switches it on, whatever stands in it."""
    key = "datastates_ckpt"
    entry = case.config.get((key,))
    if entry is None or case.release.key((key,)) is None:
        return
    off = isinstance(entry.value, dict) and entry.value.get("enabled") is False
    if not off and entry.value is not None:
        return
    yield case.error(
        "CFG596",
        "DataStates is on, although it is switched off",
        [At(f"{key}.enabled" if off else key, "on: all but `false` in place of the table is")],
        ("DeepSpeed asks only whether `datastates_ckpt` is `false` itself",),
        (f"leave `{key}` out", f'or write `"{key}": false`'),
        (Fix((case.drop(key),)), Fix((case.set(key, False),))),
    )


RULES = (filled_sections_are_on, outer_switches_act, datastates_is_off)
