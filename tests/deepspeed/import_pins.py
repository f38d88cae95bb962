"""What DeepSpeed reads otherwise after an import, on purpose: each attribute, when, and why the training is the same.

Any other difference has to be marked ``check``, or as a value that was ``auto``, in the imported spec.
``docs/import.md`` shows this list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from cfgc.importing.items import Dropped, Item, Setting
from tests.deepspeed.same_config import ABSENT, Difference, Tree

When: TypeAlias = Callable[[Difference, Tree, Tree], bool]


def always(difference: Difference, before: Tree, after: Tree) -> bool:
    """Whatever the two values are."""
    return True


def written_out(difference: Difference, before: Tree, after: Tree) -> bool:
    """The file leaves it out."""
    return difference.before in (None, ABSENT)


def becomes(*values: Any) -> When:
    """It is written out as one of ``values``."""
    return lambda difference, before, after: written_out(difference, before, after) and difference.after in values


@dataclass(frozen=True)
class Pin:
    """Attributes (a pattern of their whole path), and why they may differ."""

    pattern: str
    reason: str
    when: When = always

    def covers(self, difference: Difference, before: Tree, after: Tree) -> bool:
        """Whether the difference is one that is meant."""
        return re.fullmatch(self.pattern, difference.path) is not None and self.when(difference, before, after)


def _adamw(difference: Difference, before: Tree, after: Tree) -> bool:
    return (difference.before, difference.after) == ("adam", "adamw") and before.get(
        "optimizer_params.adam_w_mode", True
    )


def _peak(difference: Difference, before: Tree, after: Tree) -> bool:
    return bool(before.get("scheduler_params.warmup_max_lr") == difference.after)


def _own_precision(difference: Difference, before: Tree, after: Tree) -> bool:
    on = "fp16" if after["float16_config.enabled"] else "bf16" if after["bfloat16_config.enabled"] else "fp32"
    return difference.before is None and difference.after == on


def _device_is_none(difference: Difference, before: Tree, after: Tree) -> bool:
    section = ".".join(difference.path.split(".")[:2])
    return before.get(f"{section}.device") == "none" and after.get(section) is None


def _fused_on_host(difference: Difference, before: Tree, after: Tree) -> bool:
    offloaded = after.get("zero_config.offload_optimizer.device") == "cpu"
    return difference.before == ABSENT and difference.after is offloaded


PINS: tuple[Pin, ...] = (
    Pin("scheduler_name|scheduler_params.*", "the runtime owns the rate: the schedule moves to `[training]`"),
    Pin(r"optimizer_params\.lr", "a warm-up scheduler overwrites it with its own peak, which is written here", _peak),
    Pin("steps_per_print", "DeepSpeed prints nothing; it becomes `tracking.log_every_steps`"),
    Pin("optimizer_name", "DeepSpeed makes AdamW of `Adam` unless `adam_w_mode` is false", _adamw),
    Pin(
        r"optimizer_params\.(torch_adam|adam_w_mode)",
        "the runtime uses torch's own optimizers, so that nothing is compiled on the node",
    ),
    Pin(
        r"optimizer_params\.(amsgrad|capturable|differentiable|foreach|maximize|nesterov|dampening)",
        "torch's default, written out",
        becomes(False, 0.0),
    ),
    Pin(r"optimizer_params\.fused", "torch's fused update on the host, for an offloaded optimizer", _fused_on_host),
    Pin(
        r"optimizer_params\.(betas|eps|weight_decay|lr|momentum)",
        "the default of the optimizer that DeepSpeed builds, written out",
        becomes([0.9, 0.999], 1e-8, 0.0, 0.01, 1e-3),
    ),
    Pin("optimizer_params", "a type without parameters, whose defaults are written out", written_out),
    Pin(
        "communication_data_type",
        "that of the training precision, which DeepSpeed takes when it is absent",
        written_out,
    ),
    Pin(
        "grad_accum_dtype|param_dtype",
        "the training precision, which DeepSpeed takes when it is absent",
        _own_precision,
    ),
    Pin(r"zero_config\.offload_(optimizer|param)(\..*)?", "a section whose device is none is absent", _device_is_none),
    Pin("zero_force_ds_cpu_optimizer", "an offloaded optimizer is torch's own"),
    Pin(r"zero_config\.leaf_module\.classes", "the runtime's decoder has none of the layers that DeepSpeed looks for"),
    Pin("keep_in_fp32_modules", "the runtime's decoder has no module that DeepSpeed would keep in fp32"),
    Pin("dataloader_drop_last", "the runtime's loader, and not DeepSpeed's, drops an incomplete batch"),
    Pin(
        r"checkpoint_config\.tag_validation|checkpoint_tag_validation_fail",
        "ranks that disagree on a checkpoint's name fail",
    ),
    Pin(r"timers_config\.(enabled|synchronized)", "DeepSpeed's throughput timer is off: it would stall the device"),
    Pin("log_level", "DeepSpeed's own messages from warnings on"),
)

_KEYS = (
    (r"bfloat16_config\.(.*)", r"bf16.\1"),
    (r"float16_config\.(.*)", r"fp16.\1"),
    (r"activation_checkpointing_config\.(.*)", r"activation_checkpointing.\1"),
    (r"tensor_parallel_config\.(.*)", r"tensor_parallel.\1"),
    (r"torch_autocast_(.*)", r"torch_autocast.\1"),
    (r"data_efficiency_(?:config|enabled)\.?(.*)", r"data_efficiency.\1"),
    (r"zero_config\.(offload_\w+)(?:\..*)?", r"zero_optimization.\1"),
    (
        r"zero_config\.((?:prefetch_b|param_p|max_l|max_r|gather_1|model_p|module_g|use_all_r|allgather_se)\w*)",
        r"zero_optimization.stage3_\1",
    ),
    (r"zero_config\.(.*)", r"zero_optimization.\1"),
    ("optimizer_name", "optimizer.type"),
    (r"optimizer_params(?:\.(.*))?", r"optimizer.params.\1"),
)
"""Attributes of DeepSpeed's configuration, and the keys that they are read from."""


def key_of(attribute: str) -> str:
    """The key of ds_config that gives the attribute its value."""
    for pattern, key in _KEYS:
        found = re.fullmatch(pattern, attribute)
        if found:
            return found.expand(key).rstrip(".")
    return attribute


def is_marked(difference: Difference, items: Sequence[Item]) -> bool:
    """Whether the imported spec says of the key that it needs a look, or that the file has no value of it."""
    key = tuple(key_of(difference.path).split("."))
    for item in items:
        if isinstance(item, Dropped) and (item.doubtful or item.value == "auto") and _related(item.path, key):
            return True
        if isinstance(item, Setting) and _is_marked(item, key):
            return True
    return False


def _is_marked(item: Setting, key: tuple[str, ...]) -> bool:
    if item.grade == "converted":
        return False
    if item.key == "training.optimizer.type" and item.grade == "doubtful" and key[0] == "optimizer":
        return True
    return any(_related(source, key) for source in item.sources)


def _related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]
