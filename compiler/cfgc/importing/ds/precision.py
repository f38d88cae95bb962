"""The number format of a ds_config."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import AUTO
from cfgc.importing.items import Dropped, Item, Setting, came_from

KEY = "training.precision"
_SWITCHES = {"bf16.enabled": "bf16", "fp16.enabled": "fp16"}


def precision(case: Case, trainer: str = "") -> Iterator[Item]:
    """``training.precision``. ``trainer`` is what accelerate's own file says, which fills in what is ``auto``."""
    written = {dotted: entry.value for dotted in _SWITCHES if (entry := case.config.get(path_of(dotted)))}
    sources = tuple(path_of(dotted) for dotted in written)
    on = [dotted for dotted, value in written.items() if value is True]
    strange = [dotted for dotted, value in written.items() if value not in (True, False, AUTO)]
    if len(on) > 1:
        yield Setting(KEY, "bf16", "check: both bf16 and fp16 are enabled, and DeepSpeed stops", sources, "doubtful")
    elif on:
        yield Setting(KEY, _SWITCHES[on[0]], came_from(on[0]), sources)
    elif trainer:
        yield Setting(KEY, trainer, "from mixed_precision", sources)
    elif strange:
        comment = f"check: {strange[0]} is neither true nor false"
        yield Setting(KEY, _SWITCHES[strange[0]], comment, sources, "doubtful")
    elif AUTO in written.values():
        auto = next(dotted for dotted, value in written.items() if value == AUTO)
        comment = f'{auto} is "auto", for the trainer to decide: yours to say'
        yield Setting(KEY, _SWITCHES[auto], comment, sources, "placeholder")
    else:
        yield Setting(
            KEY, "fp32", "neither fp16 nor bf16 is enabled", sources, "default" if not sources else "converted"
        )
    yield from _autocast(case)


def _autocast(case: Case) -> Iterator[Item]:
    if not case.written("torch_autocast"):
        return
    on = case.flag("torch_autocast.enabled")
    because = "the runtime keeps one number format for weights and gradients" if on else "it is off, as in every bundle"
    yield Dropped(path_of("torch_autocast"), because, case.config.entries[path_of("torch_autocast")].value, doubtful=on)
