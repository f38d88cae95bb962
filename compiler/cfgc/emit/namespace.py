"""Names that wiring.py imports: each stands for one thing."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from cfgc.lower.plan import Call


@dataclass(frozen=True)
class Import:
    """``from module import name as local``."""

    module: str
    name: str
    local: str


def imports_of(calls: Sequence[Call], reserved: Set[str]) -> list[Import]:
    """The import of each call.

    A name stays as it is where it stands for one thing alone; else what it is for comes before it: ``model_build``.
    """
    wanted = [(call.module, call.attribute.partition(".")[0]) for call in calls]
    owners = Counter(name for _, name in set(wanted))
    taken = {*reserved, *dir(builtins), *owners}
    found: dict[tuple[str, str], str] = {}
    for call, (module, name) in zip(calls, wanted, strict=True):
        if (module, name) in found:
            continue
        free = owners[name] == 1 and name not in reserved and not hasattr(builtins, name)
        local = name if free else _free(f"{call.role}_{name}", taken)
        taken.add(local)
        found[module, name] = local
    return [Import(module, name, found[module, name]) for module, name in wanted]


def _free(name: str, taken: Set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)
