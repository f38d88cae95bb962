"""Every value of a spec with its class, and what differs between two of them. Standard library only.

A bundle carries them as ``values.json``: ``{"numerics": {"training.learning_rate": 0.001, …}, "resources": …,
"logistics": …, "ds_config": …}``, keys dotted, values that follow from others included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from cfgc_runtime.errors import BAD_BUNDLE, Failure
from cfgc_runtime.point import patched, point_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cfgc_runtime.point import Point

NAME: Final = "values.json"
ABSENT: Final = "—"
"""Stands for no value, by identity: a value may be this text."""
DS_CONFIG: Final = "ds_config.json "
"""Before a key of what DeepSpeed is given."""

Kind: TypeAlias = Literal["numerics", "resources", "logistics"]
KINDS: Final[tuple[Kind, ...]] = ("numerics", "resources", "logistics")
Values: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By class, then by dotted key."""

_LAYOUT: Final = (
    "launch.nodes",
    "launch.gpus_per_node",
    "parallel.",
    "deepspeed.zero.stage",
    "deepspeed.zero.round_robin_gradients",
    "deepspeed.zero.sub_group_size",
    "deepspeed.offload.",
)


@dataclass(frozen=True)
class Difference:
    """A key whose value changed; ``ABSENT`` stands for none. ``str()`` is one line for a person."""

    key: str
    kind: Kind
    old: Any
    new: Any

    @property
    def lays_out(self) -> bool:
        """Whether state that was saved under the old value is cut into other pieces than under the new one."""
        return self.key.startswith(_LAYOUT)

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.old)} → {_shown(self.new)}"


def read_values(bundle: Path) -> Values:
    """What ``bundle`` was compiled from. Raises ``Failure`` when that cannot be read."""
    try:
        return parse_values((bundle / NAME).read_text(encoding="utf-8"), point_of(bundle))
    except FileNotFoundError:
        raise Failure(
            BAD_BUNDLE, f"{bundle} has no {NAME}: an older cfgc compiled it, so nothing can be compared"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Failure(BAD_BUNDLE, f"{bundle / NAME} cannot be read: {error!r}") from None


def parse_values(text: str, point: Point | None = None) -> Values:
    """The values that the ``text`` of values.json holds, as ``point`` changes them.

    Raises ValueError, KeyError, TypeError or RecursionError when it holds none.
    """
    values = json.loads(text)
    if point:
        values = patched(values, point.values)
    return {kind: dict(values[kind]) for kind in (*KINDS, "ds_config")}


def compare(old: Values, new: Values) -> list[Difference]:
    """What differs: values of the specs, or where none does, what DeepSpeed is given all the same."""
    return compare_specs(old, new) or compare_ds_configs(old, new)


def compare_specs(old: Values, new: Values) -> list[Difference]:
    """Values of the specs that differ, numerics first, each class by key.

    The class is that of the new side, and of the old one for a key that is gone.
    """
    return [one for kind in KINDS for one in _of_kind(old, new, kind)]


def compare_ds_configs(old: Values, new: Values) -> list[Difference]:
    """What DeepSpeed is given otherwise: it follows from the other values where one cfgc compiles both."""
    return list(_differences(old.get("ds_config", {}), new.get("ds_config", {}), "numerics", DS_CONFIG))


def listing(differences: Sequence[Difference]) -> str:
    """One indented line for each."""
    return "".join(f"\n  {one}" for one in differences)


def _of_kind(old: Values, new: Values, kind: Kind) -> Iterator[Difference]:
    newer = {key for other in KINDS for key in new.get(other, {})}
    before = {key: value for other in KINDS for key, value in old.get(other, {}).items() if key in new.get(kind, {})}
    before |= {key: value for key, value in old.get(kind, {}).items() if key not in newer}
    return _differences(before, new.get(kind, {}), kind, "")


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], kind: Kind, prefix: str) -> Iterator[Difference]:
    for key in sorted({*old, *new}):
        if not (key in old and key in new and same(old[key], new[key])):
            yield Difference(prefix + key, kind, old.get(key, ABSENT), new.get(key, ABSENT))


def same(old: Any, new: Any) -> bool:
    """Whether two values are one: equal numbers are, however they are written; true is not 1."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(value, new[key]) for key, value in old.items())
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _shown(value: Any) -> str:
    return ABSENT if value is ABSENT else json.dumps(value, ensure_ascii=False)
