"""Keys of ds_config that the spec has under another name, with the same meaning and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import AUTO, Json
from cfgc.importing.items import Dropped, Item, Setting, came_from
from cfgc.schema.catalogue import schema_fields
from cfgc.validate.rules.raw_keys import SAME_NAMES

SAME: Mapping[str, str] = MappingProxyType(
    {
        **SAME_NAMES,
        "gradient_clipping": "training.gradient_clipping",
        "steps_per_print": "tracking.log_every_steps",
    }
)
"""ds_config's key → the spec's."""

FILLED_IN: Mapping[str, str] = MappingProxyType(
    {
        "zero_optimization.reduce_bucket_size": "${model.hidden_size ** 2}",
        "zero_optimization.stage3_prefetch_bucket_size": "${9 * model.hidden_size ** 2 // 10}",
        "zero_optimization.stage3_param_persistence_threshold": "${10 * model.hidden_size}",
    }
)
"""What transformers and accelerate make of ``auto`` from the model's width."""

_WHOLE = "fp16.min_loss_scale"
"""A whole number in DeepSpeed, although the other scales are none."""

_UNSAID = frozenset({"steps_per_print", "communication_data_type"})
"""Keys whose default is none of the spec's business: who prints, and a type that follows from the precision."""


def same_keys(case: Case) -> Iterator[Item]:
    """Each of them that the file has, and each whose default in DeepSpeed is not the spec's."""
    for dotted, key in SAME.items():
        entry = case.config.get(path_of(dotted))
        if entry is None:
            yield from _unsaid(case, dotted, key)
        elif entry.value == AUTO:
            yield _auto(dotted, key)
        elif dotted == _WHOLE and case.integer(dotted) is None:
            yield Dropped(path_of(dotted), "DeepSpeed reads a whole number, and stops at any other", entry.value, True)
        elif entry.value is not None:
            yield Setting(key, entry.value, came_from(entry.edited or dotted), (path_of(dotted),))


def _unsaid(case: Case, dotted: str, key: str) -> Iterator[Item]:
    """What DeepSpeed does when the key is absent, where a spec that leaves it out would do something else."""
    value = _dynamic(case, dotted)
    if dotted in _UNSAID or value is None:
        return
    if dotted == "gradient_clipping" or value != schema_default(key):
        yield Setting(key, value, default_of(case, dotted), grade="default")


def _dynamic(case: Case, dotted: str) -> Json:
    """The default, and the one that DeepSpeed computes."""
    if dotted == "zero_optimization.overlap_comm":
        return case.integer("zero_optimization.stage") == 3
    return case.value(dotted)


def _auto(dotted: str, key: str) -> Item:
    sources = (path_of(dotted),)
    if dotted in FILLED_IN:
        comment = f'{dotted} is "auto": what transformers makes of it'
        return Setting(key, FILLED_IN[dotted], comment, sources, "default", expression=True)
    return Setting(key, schema_default(key), f'{dotted} is "auto": cfgc\'s default', sources, "default")


def schema_default(key: str) -> Json:
    """What a spec means that leaves ``key`` out."""
    return schema_fields()[path_of(key)].default


def default_of(case: Case, dotted: str) -> str:
    """The comment of a value that the file leaves to DeepSpeed."""
    return f"{dotted} is absent: DeepSpeed {case.release.version}'s default"
