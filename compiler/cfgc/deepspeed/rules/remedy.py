"""What can be done about a finding: a sentence that can be pasted, and the same as edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cfgc.deepspeed.wording import into, pair
from cfgc.diagnostics.model import Edit, Fix

if TYPE_CHECKING:
    from cfgc.deepspeed.case import Case
    from cfgc.deepspeed.config import Json


@dataclass(frozen=True)
class Remedy:
    """One way out: what to write, and the edits that write it."""

    text: str
    edits: tuple[Edit, ...]


def put(case: Case, dotted: str, value: Json) -> Remedy:
    """Give the key another value."""
    return Remedy(f"write {pair(dotted, value)}{into(dotted)}", (case.set(dotted, value),))


def drop(case: Case, *keys: str) -> Remedy:
    """Take the keys out; several at once when they only make sense together."""
    edits = tuple(case.drop(key) for key in keys)
    written = [tuple(map(str, edit.path)) for edit in edits]
    section = written[0][:-1] if len({path[:-1] for path in written}) == 1 else ()
    names = listed(".".join(path[len(section) :]) for path in written)
    of = f" of `{'.'.join(section)}`" if section else ""
    return Remedy(f"leave {names}{of} out", edits)


def both(first: Remedy, second: Remedy) -> Remedy:
    """Two changes that help only together."""
    return Remedy(f"{first.text} and {second.text}", (*first.edits, *second.edits))


def told(remedies: Iterable[Remedy]) -> tuple[tuple[str, ...], tuple[Fix, ...]]:
    """The remedies as a diagnostic carries them, best first: a help and a fix for each."""
    several = tuple(remedies)
    helps = tuple(f"{'or ' if place else ''}{remedy.text}" for place, remedy in enumerate(several))
    return helps, tuple(Fix(remedy.edits) for remedy in several)


def listed(keys: Iterable[str]) -> str:
    """``a``, ``b`` and ``c``, each as code."""
    *firsts, last = (f"`{key}`" for key in keys)
    return f"{', '.join(firsts)} and {last}" if firsts else last
