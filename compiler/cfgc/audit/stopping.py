"""Evaluations that end a training: what changes of them changes where it ends, whatever the class of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.audit.comparing_points import pairs
from cfgc.audit.facts import Fact
from cfgc_runtime.point import patched
from cfgc_runtime.values import KINDS, Values

STOPPING: Final = "early stopping"
_ALL: Final = 0


@dataclass(frozen=True)
class _Judgement:
    """When a training is judged, and by how many samples at most; those are the first ones of what is held out."""

    every_steps: int
    samples: int


def stopping_facts(old: BundleOnDisk, new: BundleOnDisk) -> Iterator[Fact]:
    """One for each way in which evaluations differ that early stopping acts on, on both sides."""
    both = [(old.values, new.values)]
    if old.points and new.points:
        both = [(_of(old, pair.old.values), _of(new, pair.new.values)) for pair in pairs(old.points, new.points)]
    yield from dict.fromkeys(fact for before, after in both for fact in _facts(_judgement(before), _judgement(after)))


def _of(side: BundleOnDisk, patch: Values) -> Values:
    return {kind: patched(side.values.get(kind, {}), patch.get(kind, {})) for kind in KINDS}


def _facts(old: _Judgement | None, new: _Judgement | None) -> Iterator[Fact]:
    if old is None or new is None:
        return
    if old.samples != new.samples:
        told = " → ".join("all" if one.samples == _ALL else f"{one.samples:,}" for one in (old, new))
        yield _fact(f"the evaluations that may end the run judge other samples ({told})")
    if old.every_steps != new.every_steps:
        yield _fact(
            f"the evaluations that may end the run come after other steps ({old.every_steps} → {new.every_steps})"
        )


def _fact(text: str) -> Fact:
    return Fact(STOPPING, "numerics", text)


def _judgement(values: Values) -> _Judgement | None:
    """None where nothing is judged, or no judgement ends the training."""
    said: Mapping[str, Any] = {key: value for kind in KINDS for key, value in values.get(kind, {}).items()}
    every = said.get("evaluation.every_steps")
    if not said.get("training.early_stopping.patience") or not every:
        return None
    ranks = said.get("launch.nodes", 1) * said.get("launch.gpus_per_node", 1)
    read = said.get("evaluation.max_batches", 0) * said.get("evaluation.micro_batch_size", 0) * ranks
    limits = (read, said.get("data.max_eval_samples", 0))
    return _Judgement(every, min((most for most in limits if most), default=_ALL))
