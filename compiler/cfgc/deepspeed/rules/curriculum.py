"""Curricula, batches by length and dropped tokens: what they cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.config import Json
from cfgc.deepspeed.rules.wording import leaf, pair
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic

SAMPLING, ROUTING = "data_efficiency.data_sampling", "data_efficiency.data_routing"
CURRICULUM, BATCHING, RANDOM_LTD = (
    f"{SAMPLING}.curriculum_learning",
    f"{SAMPLING}.dynamic_batching",
    f"{ROUTING}.random_ltd",
)
OLD = "curriculum_learning"

SCHEDULES: dict[str, tuple[tuple[str, Json], ...]] = {
    "fixed_linear": (("total_curriculum_step", 10000), ("difficulty_step", 8)),
    "fixed_root": (("total_curriculum_step", 10000), ("difficulty_step", 8), ("root_degree", 2)),
    "fixed_discrete": (("difficulty", [1, 2]), ("max_step", [1000])),
    "custom": (),
}
"""What each kind of schedule cannot do without, with an example."""

_LTD: tuple[tuple[str, Json], ...] = (
    *(("total_layer_num", 12), ("random_ltd_layer_num", 10), ("random_ltd_layer_id", list(range(1, 11)))),
    *(("model_mask_name", "attention_mask"), ("model_type", "decoder"), ("hidden_state_order", "batch_seq_dim")),
)


def data_sections_are_complete(case: Case) -> Iterator[Diagnostic]:
    """CFG598: what is switched on has what it asks for."""
    if case.flag(f"{BATCHING}.enabled"):
        yield from _needs(case, BATCHING, (("max_tokens", 65536),), "DeepSpeed refuses the file")
    if case.flag(f"{CURRICULUM}.enabled"):
        yield from _metrics(case)
    if case.flag(f"{RANDOM_LTD}.enabled"):
        yield from _random_ltd(case)
    known = case.release.key((OLD,))
    if known is not None and not known.refused and case.flag(f"{OLD}.enabled"):
        yield from _curriculum(case, OLD, (("curriculum_type", "seqlen"),))


def _metrics(case: Case) -> Iterator[Diagnostic]:
    metrics = f"{CURRICULUM}.curriculum_metrics"
    yield from _needs(case, CURRICULUM, (("data_cluster_path", "clusters"),), "the sampler stops with a KeyError")
    entry = case.config.get(path_of(metrics))
    if entry is None:
        example = {"seqlen": {"schedule_type": "custom", "min_difficulty": 8, "max_difficulty": 1024}}
        yield from _needs(case, CURRICULUM, (("curriculum_metrics", example),), "DeepSpeed refuses the file")
        return
    for name, each in case.config.below(path_of(metrics)):
        if isinstance(each.value, dict) and "." not in name:
            needed = (("difficulty_type", "value"), ("clustering_type", "single_cluster"))
            yield from _curriculum(case, f"{metrics}.{name}", needed)


def _curriculum(case: Case, section: str, more: tuple[tuple[str, Json], ...]) -> Iterator[Diagnostic]:
    needed = (("min_difficulty", 8), ("max_difficulty", 1024), ("schedule_type", "fixed_linear"), *more)
    yield from _needs(case, section, needed, "the sampler stops at the start")
    kind = case.text(f"{section}.schedule_type")
    if kind is not None and kind not in SCHEDULES:
        yield _unknown_kind(case, f"{section}.schedule_type", kind)
    elif kind is not None:
        yield from _schedule(case, section, kind)
    yield from _difficulties(case, section)


def _schedule(case: Case, section: str, kind: str) -> Iterator[Diagnostic]:
    config, needed = f"{section}.schedule_config", SCHEDULES[kind]
    if not needed:
        return
    if not case.written(config):
        yield from _needs(case, section, (("schedule_config", dict(needed)),), "the sampler stops at the start")
        return
    yield from _needs(case, config, needed, f"a schedule of the kind {kind} asserts it")
    steps, levels = case.value(f"{config}.max_step"), case.value(f"{config}.difficulty")
    if kind != "fixed_discrete" or not isinstance(steps, list) or not isinstance(levels, list):
        return
    if steps and len(levels) == len(steps) + 1:
        return
    yield case.error(
        "CFG598",
        "a curriculum of steps has one difficulty more than it has steps",
        [At(f"{config}.max_step", f"{len(steps)} steps"), At(f"{config}.difficulty", f"{len(levels)} difficulties")],
        ("the last difficulty holds for all steps that follow; the sampler asserts it",),
        ("write as many `max_step` as there are changes of `difficulty`",),
        _matching(case, config, steps, levels),
    )


def _matching(case: Case, config: str, steps: list[Json], levels: list[Json]) -> tuple[Fix, ...]:
    if len(levels) > len(steps) + 1 and steps:
        return (Fix((case.set(f"{config}.difficulty", levels[: len(steps) + 1]),)),)
    if len(levels) >= 2:
        return (Fix((case.set(f"{config}.max_step", steps[: len(levels) - 1] or [1000] * (len(levels) - 1)),)),)
    example = dict(SCHEDULES["fixed_discrete"])
    return (Fix(tuple(case.set(f"{config}.{name}", value) for name, value in example.items())),)


def _difficulties(case: Case, section: str) -> Iterator[Diagnostic]:
    low, high = f"{section}.min_difficulty", f"{section}.max_difficulty"
    least, most = case.number(low), case.number(high)
    if least is None or most is None or least <= most:
        return
    yield case.error(
        "CFG598",
        "a curriculum goes from easy to hard",
        [At(low, f"{least:g}"), At(high, f"{most:g}")],
        ("the smaller of the two is used all the time, without a word",),
        (f"swap them: {pair(low, case.value(high))} and {pair(high, case.value(low))}",),
        (Fix((case.set(low, case.value(high)), case.set(high, case.value(low)))),),
    )


def _unknown_kind(case: Case, key: str, kind: str) -> Diagnostic:
    meant = nearest(kind, SCHEDULES) or "fixed_linear"
    return case.error(
        "CFG598",
        f"there is no curriculum of the kind `{kind}`",
        [At(key, ", ".join(SCHEDULES))],
        ("the sampler stops at the start",),
        (f"write {pair(key, meant)}",),
        (Fix((case.set(key, meant),), certain=nearest(kind, SCHEDULES) is not None),),
    )


def _random_ltd(case: Case) -> Iterator[Diagnostic]:
    schedule = f"{RANDOM_LTD}.random_ltd_schedule"
    yield from _needs(case, RANDOM_LTD, _LTD, "layers and scheduler stop with a KeyError")
    numbers = (("min_value", 128), ("max_value", 1024), ("schedule_type", "fixed_linear"))
    steps = (("require_steps", 10000), ("seq_per_step", 16))
    whole = dict(numbers) | {"schedule_config": dict(steps)}
    if not case.written(schedule):
        yield from _needs(case, RANDOM_LTD, (("random_ltd_schedule", whole),), "the scheduler stops with a KeyError")
    else:
        yield from _needs(
            case, schedule, (*numbers, ("schedule_config", dict(steps))), "the scheduler stops with a KeyError"
        )
        if case.written(f"{schedule}.schedule_config"):
            yield from _needs(case, f"{schedule}.schedule_config", steps, "the scheduler stops with a KeyError")
    layers, named = case.integer(f"{RANDOM_LTD}.random_ltd_layer_num"), case.value(f"{RANDOM_LTD}.random_ltd_layer_id")
    if layers is not None and isinstance(named, list) and len(named) != layers:
        yield case.error(
            "CFG598",
            "the number of layers that drop tokens is not the number of those that are named",
            [
                At(f"{RANDOM_LTD}.random_ltd_layer_num", str(layers)),
                At(f"{RANDOM_LTD}.random_ltd_layer_id", str(len(named))),
            ],
            ("DeepSpeed compares them when the layers are set up",),
            (f"write {pair('random_ltd_layer_num', len(named))} in `{RANDOM_LTD}`",),
            (Fix((case.set(f"{RANDOM_LTD}.random_ltd_layer_num", len(named)),)),),
        )
    rate = f"{RANDOM_LTD}.layer_token_lr_schedule.enabled"
    if case.flag(rate):
        yield case.error(
            "CFG598",
            "DeepSpeed has no schedule of the rate by tokens",
            [At(rate, "raises NotImplementedError")],
            (),
            ('write `"enabled": false` there',),
            (Fix((case.set(rate, False),)),),
        )


def _needs(case: Case, section: str, needed: tuple[tuple[str, Json], ...], why: str) -> Iterator[Diagnostic]:
    """An error for each key that is not in the section; silent when another key looks like it."""
    entry = case.config.get(path_of(section))
    if entry is None or not isinstance(entry.value, dict):
        return
    for name, example in needed:
        others = [key for key in entry.value if key not in dict(needed)]
        if name in entry.value or nearest(name, others):
            continue
        yield case.error(
            "CFG598",
            f"`{leaf(section)}` needs `{name}`",
            [At(f"{section}.enabled" if "enabled" in entry.value else section, f"no `{name}`")],
            (why,),
            (f"add {pair(name, example)} in `{section}`, with your own value",),
            (Fix((case.set(f"{section}.{name}", example),)),),
        )


RULES = (data_sections_are_complete,)
