"""A ds_config as items."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.importing.ds.batch import batch, ranks
from cfgc.importing.ds.keys import same_keys, schema_default
from cfgc.importing.ds.offload import offload
from cfgc.importing.ds.optimizer import optimizer
from cfgc.importing.ds.precision import precision
from cfgc.importing.ds.rest import rest
from cfgc.importing.ds.schedule import schedule
from cfgc.importing.ds.spelling import one_spelling
from cfgc.importing.items import Dropped, Item, Setting

_DIVIDING = ("deepspeed.prescale_gradients", "deepspeed.gradient_predivide_factor")
_RECOMPUTING = ("partition_activations", "cpu_checkpointing", "contiguous_memory_optimization")


def from_deepspeed(written: Case, mixed_precision: str = "") -> tuple[Item, ...]:
    """An item for every key of the file, and for what DeepSpeed does where it says nothing.

    ``mixed_precision`` is what accelerate fills in for a precision that is ``auto``.
    """
    case = one_spelling(written)
    items = [
        *ranks(case),
        *batch(case),
        *precision(case, mixed_precision),
        *same_keys(case),
        *optimizer(case),
        *schedule(case),
        *offload(case),
        *_activations(case),
    ]
    return tuple(_startable(case, item) for item in (*items, *rest(case, items)))


def _activations(case: Case) -> Iterator[Item]:
    """The model recomputes through torch; DeepSpeed's own settings of it have no use."""
    section = path_of("activation_checkpointing")
    entry = case.config.get(section)
    if entry is None:
        return
    if any(case.flag(f"activation_checkpointing.{name}") for name in _RECOMPUTING):
        comment = "check: from activation_checkpointing, which only a model that calls DeepSpeed's checkpoint() reads"
        yield Setting("model.activation_checkpointing", True, comment, (section,), "doubtful")
    else:
        yield Dropped(section, "it turns nothing on", entry.value)


def _startable(case: Case, item: Item) -> Item:
    """``item``, or why it is dropped: its value passes DeepSpeed's parser, and not the engine's start."""
    if not isinstance(item, Setting) or item.grade != "converted":
        return item
    stage = case.integer("zero_optimization.stage") or 0
    because = ""
    if item.key in _DIVIDING and stage >= 2 and case.flag("zero_optimization.reduce_scatter"):
        because = f"DeepSpeed cannot divide gradients before the reduce-scatter of ZeRO-{stage}"
    elif item.key == "deepspeed.zero.contiguous_gradients" and stage in (1, 2):
        because = "DeepSpeed turns it on itself when the optimizer is offloaded" if _offloads(case) else ""
    unchanged = item.value == schema_default(item.key) if because else True
    return item if unchanged else Dropped(item.sources[0], because, item.value, doubtful=True)


def _offloads(case: Case) -> bool:
    device = case.text("zero_optimization.offload_optimizer.device")
    return case.flag("zero_optimization.cpu_offload") or device in ("cpu", "nvme")
