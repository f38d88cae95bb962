"""How a spec names the user's own code: ``target = "package.module:attribute"`` and its ``arguments``."""

from __future__ import annotations

import keyword
import math
import re
from datetime import date, time
from typing import Annotated, Any, TypeAlias
from unicodedata import normalize

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from cfgc.schema.field import Section, logistics, numerics
from cfgc.schema.values import Text

_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def _call_target(value: str) -> str:
    module, colon, attribute = value.partition(":")
    if value.startswith("."):
        raise PydanticCustomError("target", "a relative module says nothing on another machine")
    if not colon:
        raise PydanticCustomError("target", "it says no function: `module:function`")
    for part, what in ((module, "module"), (attribute, "function")):
        if not _DOTTED.fullmatch(part):
            raise PydanticCustomError("target", "this is no name of a {what}", {"what": what})
        if reserved := next((name for name in part.split(".") if keyword.iskeyword(name)), None):
            raise PydanticCustomError("target", "`{name}` is a word of Python's own", {"name": reserved})
    return value


def _arguments(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        if not name.isidentifier() or keyword.iskeyword(name):
            raise PydanticCustomError("argument", "`{name}` is no name of an argument", {"name": name})
        if (read := normalize("NFKC", name)) != name:
            raise PydanticCustomError("argument", "Python reads `{name}` as `{read}`", {"name": name, "read": read})
        if (found := _no_literal(value)) is not None:
            raise PydanticCustomError("argument", "`{name}` holds {what}", {"name": name, "what": found})
    return values


def _no_literal(value: object) -> str | None:
    """What ``value`` holds that is no literal of Python; None when it is one as a whole."""
    if isinstance(value, date | time):
        return "a date or time, which is no literal of Python: write a text"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for one in held if (found := _no_literal(one)) is not None), None)


CallTarget: TypeAlias = Annotated[str, AfterValidator(_call_target)]
"""A function or class of the user's: ``my_pkg.model:build``, found by Python's import where the run is."""

Arguments: TypeAlias = Annotated[dict[str, Any], AfterValidator(_arguments)]
"""Keyword arguments: integers, floats, texts, booleans, arrays (lists in Python) and tables (dictionaries)."""


class Metric(Section):
    """A number that is computed of every held-out sample."""

    name: Text = logistics(..., "Name in metrics.jsonl.", why="It is a name in metrics.jsonl.", min_length=1)
    target: CallTarget = logistics(
        ...,
        "Function, `module:function`, called with (outputs, batch, **arguments).",
        why="It computes a number that nothing trains on.",
    )
    arguments: Arguments = logistics(
        {}, "Keyword arguments of that function.", why="They change a number that nothing trains on."
    )


class Loss(Section):
    """What training lowers."""

    target: CallTarget | None = numerics(
        None,
        "Own loss, `module:function`, called with (outputs, batch, **arguments). Absent: next-token cross entropy.",
        why="Another loss has other gradients.",
    )
    arguments: Arguments = numerics(
        {}, "Keyword arguments of that function.", why="They may change what that loss computes."
    )
