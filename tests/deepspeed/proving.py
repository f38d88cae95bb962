"""Import a ds_config, build the spec, and compare what DeepSpeed reads of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.importing.importer import Outcome, Request, import_file
from cfgc.importing.items import Dropped, Setting
from cfgc.importing.refused import without_refused
from cfgc.importing.tree import Tree
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import Plan
from cfgc.pipeline import plan_spec
from cfgc.resources import shipped_dir
from tests.deepspeed.import_pins import PINS, is_marked
from tests.deepspeed.same_config import Difference, differences, read, without_auto

RELEASE = "0.19.8"
"""The release that is installed."""


@dataclass(frozen=True)
class Proof:
    """An import, its plan, and what DeepSpeed reads otherwise of the two configs."""

    outcome: Outcome
    plan: Plan
    found: Sequence[Difference]
    unpinned: Sequence[Difference]

    def unexplained(self) -> list[Difference]:
        """Differences that neither the list of pins nor a mark in the spec explains."""
        return [difference for difference in self.unpinned if not is_marked(difference, self.outcome.items)]

    def changed(self) -> list[Difference]:
        """Differences that change what the file says, rather than fill in what it leaves to a trainer."""
        changing = [
            item
            for item in self.outcome.items
            if (isinstance(item, Setting) and item.grade == "doubtful" and item.sources)
            or (isinstance(item, Dropped) and item.doubtful)
        ]
        return [difference for difference in self.unpinned if is_marked(difference, changing)]


def planned(text: str) -> Plan:
    """The plan of a spec. Raises ``Rejected``."""
    reader = MemoryReader({"spec.toml": text}, DiskReader(Path(__file__).parent, shipped_dir("specs")))
    plan = plan_spec(reader, "spec.toml")
    assert isinstance(plan, Plan)
    return plan


def errors_of(text: str) -> Sequence[Diagnostic]:
    """What the compiler refuses a spec for."""
    try:
        planned(text)
    except Rejected as rejected:
        return rejected.diagnostics
    return ()


def prove(tree: Tree, name: str, config: dict[str, Any], world_size: int | None = None) -> Proof:
    """The proof for the file ``name`` of the tree, which holds ``config``. Raises what DeepSpeed and cfgc raise."""
    imported = import_file(tree, Request(name, world_size=world_size, deepspeed=RELEASE))
    outcome, _ = without_refused(imported, errors_of)
    plan = planned(outcome.text)
    given = without_auto(config)
    if not {"train_batch_size", "train_micro_batch_size_per_gpu"} & set(given):
        given["train_micro_batch_size_per_gpu"] = plan.ds_config["train_micro_batch_size_per_gpu"]
    before, after = read(given, plan.topology.data_parallel), read(plan.ds_config, plan.topology.data_parallel)
    found = differences(before, after)
    unpinned = [one for one in found if not any(pin.covers(one, before, after) for pin in PINS)]
    return Proof(outcome, plan, found, unpinned)
