"""Offloading of a ds_config."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import Entry
from cfgc.importing.ds.keys import default_of, schema_default
from cfgc.importing.items import Dropped, Item, Setting, came_from

_SECTIONS = {
    "zero_optimization.offload_optimizer": ("deepspeed.offload.optimizer", 1),
    "zero_optimization.offload_param": ("deepspeed.offload.parameters", 3),
}
"""A section, its key in the spec, and the lowest stage that reads it."""

_OLD = {"cpu_offload": "zero_optimization.offload_optimizer", "cpu_offload_param": "zero_optimization.offload_param"}
_PIN = "deepspeed.offload.pin_memory"


def offload(case: Case) -> Iterator[Item]:
    """``deepspeed.offload``."""
    used = []
    for section, (key, lowest) in _SECTIONS.items():
        entry = case.config.get(path_of(section))
        device, source = _device(case, section)
        if device == "none":
            yield from _unused(entry, section)
        elif (stage := case.integer("zero_optimization.stage") or 0) < lowest:
            yield Dropped(path_of(source), f"it has no effect at ZeRO-{stage}", _value(case, source), doubtful=True)
        else:
            used.append(section)
            yield from _place(case, key, device, source)
            yield from _rest(case, section)
    yield from _old_spellings(case)
    yield from _pinned(case, used)


def _device(case: Case, section: str) -> tuple[str, str]:
    """Where it goes, and the key that says so; ``none`` when nothing does."""
    for old, new in _OLD.items():
        if new == section and case.flag(f"zero_optimization.{old}"):
            return "cpu", f"zero_optimization.{old}"
    device = f"{section}.device"
    return (case.text(device) or "none", device) if case.written(device) else ("none", section)


def _unused(entry: Entry | None, section: str) -> Iterator[Item]:
    if entry is not None:
        yield Dropped(path_of(section), "nothing is offloaded", entry.value)


def _place(case: Case, key: str, device: str, source: str) -> Iterator[Item]:
    if device == "cpu":
        yield Setting(key, "cpu", came_from(source), (path_of(source),))
        return
    comment = f"check: {came_from(source)} = {device}, which the runtime does not have; host memory is the nearest"
    yield Setting(key, "cpu", comment, (path_of(source),), "doubtful")


def _rest(case: Case, section: str) -> Iterator[Item]:
    """Keys beside ``device`` and ``pin_memory``: buffers of the NVMe swapper, and DeepSpeed's own CPU Adam."""
    for name, entry in case.config.below(path_of(section)):
        path = (*path_of(section), name)
        default = case.release.key(path)
        if name in ("device", "pin_memory"):
            continue
        if name == "ratio":
            partial = case.number(".".join(path)) not in (1.0, None)
            because = "the runtime offloads all of the optimizer or nothing"
            yield Dropped(path, because, entry.value, doubtful=partial)
        else:
            same = default is not None and entry.value == default.default
            because = "it is DeepSpeed's default" if same else "the runtime has no other setting of it"
            nothing = name == "nvme_path" or entry.value in ("auto", None)
            yield Dropped(path, because, entry.value, doubtful=not (same or nothing))


def _pinned(case: Case, used: list[str]) -> Iterator[Item]:
    """One key for both sections."""
    if not used:
        return
    written = [dotted for section in used if case.written(dotted := f"{section}.pin_memory")]
    sources = tuple(path_of(dotted) for dotted in written)
    values = {bool(case.value(f"{section}.pin_memory")) for section in used}
    value = True in values
    if len(values) > 1:
        yield Setting(_PIN, True, "check: the two sections differ; here one key is for both", sources, "doubtful")
    elif written:
        yield Setting(_PIN, value, came_from(written[0]), sources)
    elif value != schema_default(_PIN):
        yield Setting(_PIN, value, default_of(case, f"{used[0]}.pin_memory"), grade="default")


def _old_spellings(case: Case) -> Iterator[Item]:
    """``cpu_offload`` that is off, and the pinning that went with it."""
    for old in _OLD:
        dotted = f"zero_optimization.{old}"
        if case.written(dotted) and not case.flag(dotted):
            yield Dropped(path_of(dotted), "nothing is offloaded", _value(case, dotted))
    dotted = "zero_optimization.cpu_offload_use_pin_memory"
    if case.written(dotted):
        yield Dropped(path_of(dotted), "DeepSpeed does not read it any more", _value(case, dotted))


def _value(case: Case, dotted: str) -> object:
    entry = case.config.get(path_of(dotted))
    return entry.value if entry else None
