"""Keys of an offload section that its device does not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, path_of
from cfgc.deepspeed.rules.facts import (
    Side,
    flag_at,
    offload_at,
    offload_of,
    offload_section,
    stage_of,
    table_at,
    written_keys,
)
from cfgc.deepspeed.rules.offload import SIDES
from cfgc.deepspeed.rules.remedy import drop, listed, told
from cfgc.deepspeed.wording import leaf

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.diagnostics import Diagnostic

NVME_KEYS: dict[Side, tuple[str, ...]] = {
    "optimizer": ("nvme_path", "buffer_count", "pipeline_read", "pipeline_write", "fast_init"),
    "param": ("nvme_path", "buffer_count", "buffer_size", "max_in_cpu"),
}
"""What only a swapper to NVMe reads (``runtime/swap_tensor``)."""


def offload_keys_are_read(case: Case) -> Iterator[Diagnostic]:
    """CFG562: a key of an offload section is read by its device."""
    for side in SIDES:
        device, section = offload_of(case, side), offload_section(side)
        if not table_at(case, section) or device not in ("none", "cpu") or not stage_of(case):
            continue
        unread = [key for key in written_keys(case, section, ("device", "pin_memory")) if _is_idle(case, key, side)]
        if _lists_everything(case, section):
            unread = [key for key in unread if not _is_default(case, key)]
        if unread:
            yield _idle(case, side, unread)


def _lists_everything(case: Case, section: str) -> bool:
    """Whether the file pins every key of the section, so that those at their defaults are no mistake."""
    keys = [key for path, key in case.release.keys.items() if path[:-1] == path_of(section) and not key.alias_of]
    return all(case.config.get(key.path) is not None for key in keys)


def _is_default(case: Case, dotted: str) -> bool:
    key = case.release.key(path_of(dotted))
    return key is not None and case.value(dotted) == key.default


def _is_idle(case: Case, key: str, side: Side) -> bool:
    """Whether a key of a section that does not go to NVMe is read by nobody. What says nothing (null) is fine."""
    name = leaf(key)
    if case.value(key) in (None, False) or name in ("ratio", "super_offload"):
        return False
    if name == "cpuadam_cores_perc":
        return flag_at(case, f"{offload_section(side)}.super_offload") is False
    return name in NVME_KEYS[side]


def _idle(case: Case, side: Side, unread: list[str]) -> Diagnostic:
    names = [leaf(key) for key in unread]
    nvme = [name for name in names if name in NVME_KEYS[side]]
    cores = ("`cpuadam_cores_perc` is read with `super_offload`",) if len(nvme) < len(names) else ()
    return case.warning(
        "CFG562",
        f"{listed(names)} of `{offload_section(side)}` {'has' if len(names) == 1 else 'have'} no effect",
        [*(At(key, "has no effect") for key in unread), offload_at(case, side)],
        (*((f"read when the device is NVMe: {listed(nvme)}",) if nvme else ()), *cores),
        *told([drop(case, *unread)]),
    )


def pinned_memory_is_used(case: Case) -> Iterator[Diagnostic]:
    """CFG505: page-locked memory is for what is offloaded from a GPU."""
    for side in SIDES:
        key, device = f"{offload_section(side)}.pin_memory", offload_of(case, side)
        on_cpu = case.device == "cpu" and device == "cpu"
        if flag_at(case, key) is not True or not stage_of(case) or not (device == "none" or on_cpu):
            continue
        yield case.warning(
            "CFG505",
            f"`{key}` has no effect here",
            [At(key, "has no effect"), offload_at(case, side, "from a CPU" if on_cpu else "nothing is offloaded")],
            ("a CPU copies nothing",) if on_cpu else (),
            *told([drop(case, key)]),
        )


RULES = (pinned_memory_is_used, offload_keys_are_read)
