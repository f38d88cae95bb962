"""One spelling for every key of a ds_config: DeepSpeed reads several names for some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import Config, Entry, Path

_ZERO = "zero_optimization"
_SAME_VALUE = {
    path_of(f"{_ZERO}.stage3_gather_fp16_weights_on_model_save"): path_of(
        f"{_ZERO}.stage3_gather_16bit_weights_on_model_save"
    ),
    ("bfloat16",): ("bf16",),
    **{
        path_of(f"{_ZERO}.{name}"): path_of(f"{_ZERO}.stage3_{name}")
        for name in (
            "prefetch_bucket_size",
            "param_persistence_threshold",
            "model_persistence_threshold",
            "max_live_parameters",
            "max_reuse_distance",
            "gather_16bit_weights_on_model_save",
            "module_granularity_threshold",
            "use_all_reduce_for_fetch_params",
            "allgather_sequential",
        )
    },
}
"""A second name → the one that is documented."""


def one_spelling(case: Case) -> Case:
    """The same case with every key under its documented name; an entry remembers the name that was written."""
    entries: dict[Path, Entry] = {}
    for path, entry in _unfolded(case.config):
        named = _named(path)
        if named == path or named not in case.config.entries:
            entries[named] = replace(entry, edited=entry.edited or path)
    return replace(case, config=replace(case.config, entries=entries))


def _named(path: Path) -> Path:
    for length in range(1, len(path) + 1):
        documented = _SAME_VALUE.get(path[:length])
        if documented:
            return (*documented, *path[length:])
    return path


def _unfolded(config: Config) -> Iterator[tuple[Path, Entry]]:
    """``zero_optimization = true`` is stage 1, and false stage 0."""
    for path, entry in config.entries.items():
        if path == (_ZERO,) and isinstance(entry.value, bool):
            yield path, replace(entry, value={"stage": int(entry.value)}, edited=path)
            yield (_ZERO, "stage"), replace(entry, value=int(entry.value), edited=path)
        else:
            yield path, entry
