"""Curricula, batches by length and dropped tokens: what they cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.config import Json
from cfgc.deepspeed.rules.data_sections import Section, needs, section_holds
from cfgc.deepspeed.wording import count, leaf, pair
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
STARTS, KEY_ERROR = "the sampler stops at the start", "layers and schedule stop with a KeyError"

_DIFFICULTIES: dict[str, Json] = {"min_difficulty": 8, "max_difficulty": 1024, "schedule_type": "fixed_linear"}
METRIC = Section(
    {**_DIFFICULTIES, "difficulty_type": "value", "clustering_type": "single_cluster"},
    STARTS,
    frozenset({"schedule_config", "index_to_sample_path", "index_to_metric_path"}),
)
OLD_CURRICULUM = Section(
    {**_DIFFICULTIES, "curriculum_type": "seqlen"}, STARTS, frozenset({"enabled", "schedule_config"})
)
SCHEDULES = {
    "fixed_linear": Section({"total_curriculum_step": 10000, "difficulty_step": 8}, STARTS, frozenset({"root_degree"})),
    "fixed_root": Section({"total_curriculum_step": 10000, "difficulty_step": 8, "root_degree": 2}, STARTS),
    "fixed_discrete": Section({"difficulty": [1, 2], "max_step": [1000]}, STARTS),
}
"""What each kind of schedule holds; `custom` holds what the script reads."""

KINDS = (*SCHEDULES, "custom")
DROPPING = Section(
    {
        "total_layer_num": 12,
        "random_ltd_layer_num": 10,
        "random_ltd_layer_id": list(range(1, 11)),
        "model_mask_name": None,
        "model_type": "decoder",
        "hidden_state_order": "batch_seq_dim",
        "random_ltd_schedule": {
            "min_value": 128,
            "max_value": 1024,
            "schedule_type": "fixed_linear",
            "schedule_config": {"require_steps": 10000, "seq_per_step": 16},
        },
    },
    KEY_ERROR,
    frozenset({"enabled", "layer_token_lr_schedule", "micro_batch_size", "global_batch_size"}),
)
DROPPING_SCHEDULE = Section(DROPPING.needed["random_ltd_schedule"], KEY_ERROR)
DROPPING_STEPS = Section(DROPPING_SCHEDULE.needed["schedule_config"], KEY_ERROR, frozenset({"root_degree"}))


def data_sections_are_complete(case: Case) -> Iterator[Diagnostic]:
    """CFG598: what is switched on has what it asks for."""
    if case.flag(f"{BATCHING}.enabled") and not _near(case, BATCHING, "max_tokens"):
        yield needs(case, BATCHING, "max_tokens", 65536, "DeepSpeed refuses the file")
    if case.flag(f"{CURRICULUM}.enabled"):
        yield from _metrics(case)
    if case.flag(f"{RANDOM_LTD}.enabled"):
        yield from _random_ltd(case)
    known = case.release.key((OLD,))
    if known is not None and not known.refused and case.flag(f"{OLD}.enabled"):
        yield from _curriculum(case, OLD, OLD_CURRICULUM)


def _near(case: Case, section: str, name: str) -> bool:
    """Whether the key is there, or one that is nearly called so, of which the table speaks."""
    written = [key for key, _ in case.config.below(path_of(section))]
    return name in written or nearest(name, written) is not None


def _metrics(case: Case) -> Iterator[Diagnostic]:
    metrics = f"{CURRICULUM}.curriculum_metrics"
    if not _near(case, CURRICULUM, "data_cluster_path"):
        yield needs(case, CURRICULUM, "data_cluster_path", "clusters", "the sampler stops with a KeyError")
    if not _near(case, CURRICULUM, "curriculum_metrics"):
        example = {"seqlen": {**METRIC.needed, "schedule_config": dict(SCHEDULES["fixed_linear"].needed)}}
        yield needs(case, CURRICULUM, "curriculum_metrics", example, "DeepSpeed refuses the file")
    for name, each in case.config.below(path_of(metrics)):
        if "." in name or not name:
            continue
        if isinstance(each.value, dict):
            yield from _curriculum(case, f"{metrics}.{name}", METRIC)
        else:
            yield _no_metric(case, f"{metrics}.{name}")


def _no_metric(case: Case, key: str) -> Diagnostic:
    return case.error(
        "CFG598",
        f"`{leaf(key)}` is no metric: it is not a table",
        [At(key, "belongs in the table of a metric, or nowhere")],
        (STARTS,),
        (f"leave `{leaf(key)}` out",),
        (Fix((case.drop(key),)),),
    )


def _curriculum(case: Case, section: str, holds: Section) -> Iterator[Diagnostic]:
    if section != OLD:
        yield from section_holds(case, section, holds)
    else:
        for name in holds.needed:
            if not _near(case, section, name):
                yield needs(case, section, name, holds.needed[name], holds.why)
    kind = case.text(f"{section}.schedule_type") or "custom"
    if kind not in KINDS:
        yield _unknown_kind(case, f"{section}.schedule_type", kind)
    elif kind != "custom":
        yield from _schedule(case, section, kind)
    yield from _difficulties(case, section)


def _schedule(case: Case, section: str, kind: str) -> Iterator[Diagnostic]:
    config = f"{section}.schedule_config"
    if not case.written(config):
        if not _near(case, section, "schedule_config"):
            yield needs(case, section, "schedule_config", dict(SCHEDULES[kind].needed), STARTS)
        return
    yield from section_holds(case, config, SCHEDULES[kind])
    steps, levels = case.value(f"{config}.max_step"), case.value(f"{config}.difficulty")
    if kind != "fixed_discrete" or not isinstance(steps, list) or not isinstance(levels, list):
        return
    if steps and len(levels) == len(steps) + 1:
        return
    yield case.error(
        "CFG598",
        "a curriculum of steps has one difficulty more than it has steps",
        [
            At(f"{config}.max_step", count(len(steps), "step")),
            At(f"{config}.difficulty", count(len(levels), "level")),
        ],
        ("the last difficulty holds for all steps that follow; the sampler asserts it",),
        ("write as many `max_step` as there are changes of `difficulty`",),
        _matching(case, config, steps, levels),
    )


def _matching(case: Case, config: str, steps: list[Json], levels: list[Json]) -> tuple[Fix, ...]:
    if len(levels) > len(steps) + 1 and steps:
        return (Fix((case.set(f"{config}.difficulty", levels[: len(steps) + 1]),)),)
    if len(levels) >= 2:
        return (Fix((case.set(f"{config}.max_step", steps[: len(levels) - 1] or [1000] * (len(levels) - 1)),)),)
    example = SCHEDULES["fixed_discrete"].needed
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
    meant = nearest(kind, KINDS) or "fixed_linear"
    return case.error(
        "CFG598",
        f"there is no curriculum of the kind `{kind}`",
        [At(key, ", ".join(KINDS))],
        ("the sampler stops at the start",),
        (f"write {pair(key, meant)}",),
        (Fix((case.set(key, meant),), certain=nearest(kind, KINDS) is not None),),
    )


def _random_ltd(case: Case) -> Iterator[Diagnostic]:
    schedule = f"{RANDOM_LTD}.random_ltd_schedule"
    yield from section_holds(case, RANDOM_LTD, DROPPING)
    yield from section_holds(case, schedule, DROPPING_SCHEDULE)
    yield from section_holds(case, f"{schedule}.schedule_config", DROPPING_STEPS)
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


RULES = (data_sections_are_complete,)
