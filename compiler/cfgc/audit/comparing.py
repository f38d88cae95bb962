"""What differs between two bundles: every value with its class and both origins, and all that is no value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from cfgc.audit.bundle_on_disk import BundleOnDisk, Step
from cfgc.audit.comparing_points import PointChange, compare_points, ds_configs, point_facts
from cfgc.audit.diff_errors import not_as_compiled, pipeline_and_run
from cfgc.audit.facts import COMPILER, INPUTS, RUNTIME, Fact, facts_of, inputs
from cfgc.audit.facts import stages as stage_facts
from cfgc.audit.stopping import stopping_facts
from cfgc.deepspeed.classes import class_of_key
from cfgc.diagnostics import Rejected
from cfgc.diagnostics.masking import hidden
from cfgc_runtime.values import ABSENT, DS_CONFIG, KINDS, Difference, Kind, compare_ds_configs, compare_specs

WORST_FIRST: Final = KINDS
"""A change of an earlier class is worse than one of a later."""
DEFAULT: Final = "default"
"""What a key follows from that came or went with its table, and that nobody set."""


@dataclass(frozen=True)
class Change:
    """A key whose value is not the same on both sides, secrets as dots; ``ABSENT`` where a side has none.

    ``old_steps`` and ``new_steps`` say where each came from, newest first. ``follows`` is what the key's value is
    computed from, where nobody gave another one.
    """

    key: str
    kind: Kind
    old: Any
    new: Any
    old_steps: tuple[Step, ...] = ()
    new_steps: tuple[Step, ...] = ()
    follows: str = ""


@dataclass(frozen=True)
class Comparison:
    """What differs between ``old`` and ``new``.

    ``changes`` are those of the spec's values, the worst class first and what somebody changed before what follows from
    it; of a sweep, those that all points share, and ``points`` has the rest. ``ds_config`` is what DeepSpeed is given
    otherwise. ``facts`` are no values: code, stages, inputs. ``stages`` are those that both sides have.
    """

    old: BundleOnDisk
    new: BundleOnDisk
    changes: tuple[Change, ...] = ()
    ds_config: tuple[Change, ...] = ()
    facts: tuple[Fact, ...] = ()
    points: tuple[PointChange, ...] = ()
    stages: Mapping[str, Comparison] | None = None

    @property
    def is_same(self) -> bool:
        """Whether the bundles, which nobody edited, are the same, byte for byte: their manifests are."""
        return self.old.manifest == self.new.manifest

    @cached_property
    def counts(self) -> Mapping[Kind, int]:
        """How many things changed of each class that any did, those of points and stages included."""
        found = Counter(self._kinds())
        return {kind: found[kind] for kind in WORST_FIRST if found[kind]}

    @property
    def worst(self) -> Kind | None:
        """The worst class of anything that changed."""
        return next(iter(self.counts), None)

    def is_worse_than_allowed(self, gate: Kind) -> bool:
        """Whether something of the class ``gate``, or worse, changed."""
        return self.worst is not None and WORST_FIRST.index(self.worst) <= WORST_FIRST.index(gate)

    @property
    def counts_ds_config(self) -> bool:
        """Whether ``ds_config`` is no mere consequence of ``changes``."""
        return not (self.changes or self.points) or any(fact.subject in (COMPILER, RUNTIME) for fact in self.facts)

    def _kinds(self) -> Iterator[Kind]:
        for change in (*self.changes, *(self.ds_config if self.counts_ds_config else ())):
            yield change.kind
        for fact in self.facts:
            if fact.kind:
                yield fact.kind
        for point in self.points:
            yield point.difference.kind
        for stage in (self.stages or {}).values():
            yield from stage._kinds()


def unedited(bundle: BundleOnDisk) -> BundleOnDisk:
    """``bundle``, which is as its manifest says. Raises ``Rejected``: an edited one's values are not what it runs."""
    if edited := bundle.edited():
        raise Rejected([not_as_compiled(bundle.name, edited)])
    return bundle


def compare_bundles(old: BundleOnDisk, new: BundleOnDisk) -> Comparison:
    """What differs between two that are ``whole``. Raises ``Rejected`` when the two cannot be compared."""
    if old.is_pipeline != new.is_pipeline:
        pipeline, run = (old, new) if old.is_pipeline else (new, old)
        raise Rejected([pipeline_and_run(pipeline.name, list(pipeline.needs), run.name)])
    if old.is_pipeline:
        return _compare_pipelines(old, new)
    points: tuple[PointChange, ...] = ()
    found: Sequence[Difference] = compare_specs(old.values, new.values)
    if old.points and new.points:
        found, points = compare_points(old, new)
    changes = sorted((_change(one, old, new) for one in found), key=_rank)
    ds_config = tuple(_change(one, old, new) for one in compare_ds_configs(*ds_configs(old, new)))
    of_points = tuple(point_facts(old, new))
    is_another = any(change.kind == "numerics" for change in changes)  # whose evaluations follow, and say nothing more
    stopping = () if is_another else stopping_facts(old, new)
    facts = (*of_points, *stopping, *facts_of(old, new, explained=bool(changes or points or of_points)))
    return Comparison(old, new, tuple(changes), ds_config, facts, points)


def _compare_pipelines(old: BundleOnDisk, new: BundleOnDisk) -> Comparison:
    both = [stage for stage in new.stages if stage in old.stages]
    stages = {stage: _of_stage(compare_bundles(old.stages[stage], new.stages[stage])) for stage in both}
    facts = (*stage_facts(old.needs, new.needs), *inputs(old, new))
    return Comparison(old, new, facts=facts, stages=stages)


def _of_stage(comparison: Comparison) -> Comparison:
    """Without inputs: the pipeline has those of all its stages."""
    return replace(comparison, facts=tuple(fact for fact in comparison.facts if fact.subject != INPUTS))


def _rank(change: Change) -> tuple[int, bool, str]:
    return WORST_FIRST.index(change.kind), bool(change.follows), change.key


def _change(found: Difference, old: BundleOnDisk, new: BundleOnDisk) -> Change:
    key = found.key
    before, after = (() if value is ABSENT else side.origins.get(key, ()) for side, value in _sides(found, old, new))
    return Change(
        key,
        class_of_key(tuple(key.removeprefix(DS_CONFIG).split("."))).kind if key.startswith(DS_CONFIG) else found.kind,
        _masked(found.old, key),
        _masked(found.new, key),
        before,
        after,
        _cause(before, after),
    )


def _sides(found: Difference, old: BundleOnDisk, new: BundleOnDisk) -> tuple[tuple[BundleOnDisk, Any], ...]:
    return (old, found.old), (new, found.new)


def _masked(value: Any, key: str) -> Any:
    return value if value is ABSENT else hidden(value, key.rpartition(".")[2])


def _cause(before: Sequence[Step], after: Sequence[Step]) -> str:
    """What the value follows from, where nobody gave another: an expression, other keys, a table that came or went."""
    if before and after:
        same_way = before[0].get("layer") == after[0].get("layer") and before[0].get("text") == after[0].get("text")
        return str(after[0].get("derived") or _expression(after[0])) if same_way else ""
    [newest] = (before or after)[:1] or ({},)
    return str(newest.get("derived") or _expression(newest) or (DEFAULT if newest.get("layer") == DEFAULT else ""))


def _expression(step: Step) -> str:
    """What was written and is computed; ``$${`` alone is an escape, which follows from nothing."""
    text = str(step.get("text") or "")
    return text if "${" in text.replace("$${", "") else ""
