"""Literals that look like credentials are refused; what is one is said in ``diagnostics.masking``, which hides them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics.masking import secret_kind
from cfgc.validate.missing import dotted
from cfgc.validate.places import value_label
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.schema_errors import literal_secret

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.origin import Value
    from cfgc.resolve.resolved import Resolved
    from cfgc.validate.places import Location


def find_secrets(resolved: Resolved) -> Iterator[Diagnostic]:
    """A finding for each literal that looks like a secret."""
    for path, leaf in resolved.leaves.items():
        if leaf.origin.span is None:
            continue
        for inside, text in _texts(leaf.value):
            place: Location = (*path, *inside)
            name = next(part for part in reversed(place) if isinstance(part, str))
            kind = secret_kind(name, text)
            if kind:
                variable = name if place[:2] == ("env", "variables") else kind[1]
                label, fixes = value_label(resolved, place, ""), _named_instead(resolved, place, variable)
                yield literal_secret(dotted(place), label, kind[0], variable, fixes)


def _named_instead(resolved: Resolved, place: Location, variable: str) -> tuple[Fix, ...]:
    """The literal goes, and the variable that is to hold it is asked for."""
    remedy = Remedy(resolved)
    gone = remedy.take_back(place)
    there = resolved.get("env.required")
    names = list(there.value) if there and isinstance(there.value, list) else []
    asked = remedy.set(("env", "required"), [*names, variable]) if variable not in names else ()
    return one_fix((*gone, *asked) if gone else ())


def _texts(value: Value) -> Iterator[tuple[Location, str]]:
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from (((index, *inside), text) for inside, text in _texts(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (((key, *inside), text) for inside, text in _texts(item))
