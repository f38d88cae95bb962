"""What several rules ask of a ds_config. None is always: nobody can know (``auto``, a wrong type)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cfgc.deepspeed.case import At, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Json

ZERO = "zero_optimization"
STAGE = f"{ZERO}.stage"
OPTIMIZER_TYPE = "optimizer.type"

Format = Literal["fp16", "bf16", "fp32"]
Device = Literal["none", "cpu", "nvme"]
Side = Literal["optimizer", "param"]

FORMATS: dict[str, str] = {
    name: short
    for short, names in {
        "fp16": ("torch.float16", "fp16", "float16", "half"),
        "fp32": ("torch.float32", "fp32", "float32", "float"),
        "bf16": ("torch.bfloat16", "bf16", "bfloat16"),
        "int8": ("torch.int8", "int8"),
    }.items()
    for name in names
}
"""Every spelling of a number format that ``data_types`` and ``torch_autocast`` take (``config.DtypeEnum``)."""


def table_at(case: Case, dotted: str) -> dict[str, Json] | None:
    """What is written under a key that holds a table; empty when it is not written, None when it is no table."""
    entry = case.config.get(path_of(dotted))
    if entry is None or entry.value is None:
        return {}
    return entry.value if isinstance(entry.value, dict) else None


def flag_at(case: Case, dotted: str, default: bool = False) -> bool | None:
    """A switch: what is written, or ``default``."""
    entry = case.config.get(path_of(dotted))
    if entry is None:
        return default
    return entry.value if isinstance(entry.value, bool) else None


def as_written(case: Case, dotted: str) -> str:
    """The key's own name in the file that holds it: an older one where DeepSpeed reads two."""
    entry = case.config.get(path_of(dotted))
    return entry.edited[-1] if entry and entry.edited else path_of(dotted)[-1]


def stage_of(case: Case) -> int | None:
    """The ZeRO stage, 0 when ZeRO is not mentioned."""
    entry = case.config.get((ZERO,))
    if entry is None:
        return 0
    if not isinstance(entry.value, dict):
        return None
    if not case.written(STAGE):
        return 0
    stage = case.integer(STAGE)
    return stage if stage in (0, 1, 2, 3) else None


def stage_at(case: Case, text: str = "") -> At:
    """The place of the stage, with what it is."""
    stage = stage_of(case)
    return At(STAGE, text or ("no ZeRO" if stage == 0 else f"ZeRO-{stage}"))


def zero_name(stage: int) -> str:
    """How a sentence calls the stage."""
    return f"ZeRO-{stage}" if stage else "stage 0"


def precision_of(case: Case) -> Format | None:
    """The format of the weights that train, by the switches of fp16 and bf16."""
    switches = [_switch(case, section) for section in ("fp16", "bf16")]
    if None in switches or all(switches):
        return None
    return "fp16" if switches[0] else "bf16" if switches[1] else "fp32"


def _switch(case: Case, section: str) -> bool | None:
    return None if table_at(case, section) is None else flag_at(case, f"{section}.enabled")


def precision_at(case: Case) -> At:
    """The place that decides the format of the weights."""
    precision = precision_of(case)
    section = "bf16" if precision == "bf16" or not case.written("fp16") else "fp16"
    return At(f"{section}.enabled", f"{precision} weights")


def offload_section(side: Side) -> str:
    """The section that offloads the optimizer or the parameters."""
    return f"{ZERO}.offload_{side}"


def offload_of(case: Case, side: Side) -> Device | None:
    """Where the optimizer's state or the parameters go; ``none`` when they stay."""
    section = offload_section(side)
    if table_at(case, section) is None:
        return None
    device = case.config.get(path_of(f"{section}.device"))
    if device is None:
        return "none"
    return device.value if device.value in ("none", "cpu", "nvme") else None


def offload_at(case: Case, side: Side, text: str = "") -> At:
    """The place that says where the optimizer's state or the parameters go."""
    return At(device_key(side), text or f"to {_place(offload_of(case, side))}")


def device_key(side: Side) -> str:
    """The key that offloading is switched with."""
    return f"{offload_section(side)}.device"


def _place(device: Device | None) -> str:
    return {"cpu": "the CPU's memory", "nvme": "NVMe", "none": "nowhere", None: "somewhere"}[device]


def accumulated_in(case: Case) -> str | None:
    """The format that gradients are summed up in: what is said, else that of the weights."""
    entry = case.config.get(path_of("data_types.grad_accum_dtype"))
    if entry is None or entry.value is None:
        return precision_of(case)
    return FORMATS.get(entry.value) if isinstance(entry.value, str) else None


def has_bf16_optimizer(case: Case) -> bool:
    """Whether bf16 training at stage 1 sums up in fp32, for which DeepSpeed has an optimizer of its own."""
    formats = (precision_of(case), accumulated_in(case))
    return stage_of(case) == 1 and formats == ("bf16", "fp32") and offload_of(case, "optimizer") != "cpu"


def cpu_adam(case: Case) -> bool | None:
    """Whether the optimizer of the config is DeepSpeed's own CPU Adam once its state is offloaded.

    None when the program brings its own optimizer, which no config shows.
    """
    name = case.text(OPTIMIZER_TYPE)
    if not name or not case.written("optimizer"):
        return None
    torch_adam = flag_at(case, "optimizer.params.torch_adam")
    return None if torch_adam is None else name.lower() in ("adam", "adamw") and not torch_adam


def written_keys(case: Case, section: str, but: Iterable[str] = ()) -> list[str]:
    """The keys written in a section that the release knows, without ``but``."""
    path = path_of(section)
    left_out = set(but)
    return [
        f"{section}.{name}"
        for name, _ in case.config.below(path)
        if name not in left_out and case.release.key((*path, name)) is not None
    ]
