"""What keys of a Hydra tree that no table knows mean by their names: every one of them is to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from cfgc.deepspeed.config import Json, Path
from cfgc.importing import conversions as as_
from cfgc.importing import schedules
from cfgc.importing.names import NAMES
from cfgc.importing.tree_keys import Ask, Convert, Converted, To

OPTIMIZERS = ("optim", "optimizer", "opt")
"""What trees call the table of the optimizer."""

_SCHEDULES = frozenset({"sched", "scheduler", "lr_scheduler", "schedule"})
_KIND = ("name", "type", "_target_")
_PLACES = frozenset(
    {
        *OPTIMIZERS,
        *_SCHEDULES,
        *("model", "network", "net", "arch", "architecture", "transformer", "decoder", "gpt", "llm"),
        *("trainer", "training", "train", "train_ds", "train_loader", "train_dataloader", "run", "launch"),
        *("data", "dataset", "datamodule", "dataloader", "loader", "cluster", "distributed", "dist", "parallel"),
        *("hparams", "hyperparameters", "params", "config", "cfg", "args", "experiment", "general", "checkpoint"),
        *("checkpointing", "logging"),
    }
)
"""Tables that speak of the training; of others (``validation``, ``critic``) the same names say something else."""

_CONVERTED: Mapping[str, Convert] = MappingProxyType(
    {
        "training.max_steps": as_.steps,
        "training.max_epochs": as_.steps,
        "training.precision": as_.precision,
        "launch.gpus_per_node": as_.devices,
        "evaluation.every_steps": as_.interval,
        "checkpoint.every_steps": as_.steps,
        "model.activation": as_.activation,
    }
)


def guess(path: Path) -> Sequence[To]:
    """Where the key at ``path`` goes by its name; nowhere when its table speaks of something else."""
    if not _PLACES.issuperset(path[:-1]):
        return ()
    found = _of_table(path) or _of_name(path)
    return (To(found.key, _doubtful(found.convert)),) if found else ()


def _of_table(path: Path) -> To | None:
    """What only the table says: ``optimizer.name``, ``scheduler.type``; also ``optimizer`` itself, as a text."""
    above, name = "".join(path[-2:-1]), path[-1]
    table = above if above and name in _KIND else name
    if table in OPTIMIZERS:
        return To("training.optimizer.type", _last_word(as_.optimizer))
    if table in _SCHEDULES:
        return To("training.scheduler.type", _last_word(schedules.scheduler))
    return To("training.optimizer.eps") if name == "eps" and above in OPTIMIZERS else None


def _of_name(path: Path) -> To | None:
    key = NAMES.get(path[-1])
    if key is None or (path[-1] == "lr" and not _SCHEDULES.isdisjoint(path)):
        return None
    if key == "data.sequence_length" and "model" in path:
        key = "model.max_sequence_length"
    return To(key, _CONVERTED.get(key))


def _last_word(convert: Convert) -> Convert:
    """``torch.optim.AdamW`` as ``AdamW``."""
    return lambda value, ask: convert(value.rpartition(".")[2] if isinstance(value, str) else value, ask)


def _doubtful(convert: Convert | None) -> Convert:
    def read(value: Json, ask: Ask) -> Converted | None:
        made = convert(value, ask) if convert else Converted(value)
        return replace(made, doubtful=True) if made else None

    return read
