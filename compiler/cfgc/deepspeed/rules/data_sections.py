"""Sections of the data pipeline that no table knows the keys of: what they hold, and what they cannot do without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import At, Case, path_of
from cfgc.deepspeed.config import AUTO, Json
from cfgc.deepspeed.wording import leaf, pair
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic


FREE = {"min_difficulty": 0}
"""Numbers that may be 0."""


@dataclass(frozen=True)
class Section:
    """``needed``: keys without which it does not work, with an example of each; ``others``: what it may hold besides.

    ``why`` is what happens without them. An example that is a number stands for a positive number, a list for a list.
    """

    needed: Mapping[str, Json]
    why: str
    others: frozenset[str] = field(default=frozenset())


def section_holds(case: Case, dotted: str, section: Section) -> Iterator[Diagnostic]:
    """CFG598: the table has what it needs, knows its keys, and has numbers where numbers are needed."""
    entry = case.config.get(path_of(dotted))
    if entry is None or not isinstance(entry.value, dict) or "." in leaf(dotted):
        return
    missing = [name for name in section.needed if name not in entry.value]
    for name in entry.value:
        if name in section.needed or name in section.others or "." in name or not name:
            continue
        meant = nearest(name, missing)
        if meant:
            missing.remove(meant)
        yield _unknown(case, dotted, name, meant)
    for name in missing:
        yield needs(case, dotted, name, section.needed[name], section.why)
    for name, example in section.needed.items():
        if name in entry.value and not _alike(entry.value[name], example) and entry.value[name] != FREE.get(name):
            yield _unlike(case, f"{dotted}.{name}", example)


def _unknown(case: Case, section: str, name: str, meant: str | None) -> Diagnostic:
    key = f"{section}.{name}"
    return case.error(
        "CFG598",
        f"`{leaf(section)}` has no `{name}`",
        [At(key, f"`{meant}`?" if meant else "read by nobody")],
        (),
        (f"call it `{meant}`" if meant else f"leave `{name}` out",),
        (Fix((case.move(key, f"{section}.{meant}") if meant else case.drop(key),), certain=meant is not None),),
    )


def needs(case: Case, section: str, name: str, example: Json, why: str) -> Diagnostic:
    """An error for a key that is not in the section."""
    enabled = f"{section}.enabled"
    return case.error(
        "CFG598",
        f"`{leaf(section)}` needs `{name}`",
        [At(enabled if case.written(enabled) else section, f"no `{name}`")],
        (why,),
        (f"add {pair(name, example)} in `{section}`, with your own value",),
        (Fix((case.set(f"{section}.{name}", example),)),),
    )


def _alike(value: Json, example: Json) -> bool:
    """Whether a value is of the example's kind; numbers have to be positive."""
    if example is None or value == AUTO:
        return True
    if isinstance(example, int | float) and not isinstance(example, bool):
        return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return isinstance(value, type(example))


def _unlike(case: Case, key: str, example: Json) -> Diagnostic:
    value = case.config.entries[path_of(key)].value
    kinds: dict[type, str] = {str: "a text", list: "an array", dict: "a table"}
    kind = kinds.get(type(example), "a number above 0")
    meant = _meant(value, example)
    return case.error(
        "CFG598",
        f"`{leaf(key)}` has to be {kind}",
        [At(key)],
        (f"in `{key.rpartition('.')[0]}`",),
        (f"write {pair(key, meant)}",),
        (Fix((case.set(key, meant),)),),
    )


def _meant(value: Json, example: Json) -> Json:
    """The value out of what it was wrapped in, or without its sign; else the example."""
    inner = value
    if isinstance(value, list) and len(value) == 1:
        inner = value[0]
    elif isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        inner = -value
    elif isinstance(value, str) and value.isdigit():
        inner = int(value)
    return inner if _alike(inner, example) else example
