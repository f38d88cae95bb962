"""Values against what a key takes: type, bounds and choices, as DeepSpeed's own sections treat them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import Entry, Json
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.bounds import default_of, out_of_bounds
from cfgc.deepspeed.structure.kinds import kinds_of, read_as
from cfgc.deepspeed.structure.meant import PYTHON, meant_value, read_word
from cfgc.deepspeed.structure.wording import Finding, dotted, shown
from cfgc.deepspeed.table import MISSING, Key, Kind
from cfgc.diagnostics.model import Fix

_KINDS: dict[Kind, str] = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "str": "a text",
    "null": "null",
    "array": "an array",
    "table": "a table",
}
_UNREAL = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_SWALLOWED = re.compile(r"[,}\]#]|//|/\*")


def value_findings(case: Case, key: Key, entry: Entry) -> Iterator[Finding]:
    """What is wrong with the value of ``key``, at most one finding."""
    value, bare = entry.value, _bare_text(entry)
    if (isinstance(value, float) and not math.isfinite(value)) or _UNREAL.fullmatch(_word(bare)):
        yield _not_finite(case, key, entry)
    elif _SWALLOWED.search(bare) or _word(bare) in PYTHON:
        yield _bare(case, key, entry)
    elif not key.kinds:
        return
    elif kinds_of(value) & key.kinds:
        odd = [member for member in _members(key, value) if not kinds_of(member) & key.items]
        yield from [_wrong_member(case, key, odd[0])] if odd else _beyond(case, key, value)
    elif (read := read_as(key, value)) is not MISSING:
        beyond = list(_beyond(case, key, read))
        yield from beyond or [_converts(case, key, value, read)]
    elif not _is_tuned(case, key, value):
        yield _wrong_kind(case, key, value)


def _is_tuned(case: Case, key: Key, value: Json) -> bool:
    """Whether the value is a list of those that DeepSpeed's autotuner is to try."""
    tried = isinstance(value, list) and all(kinds_of(one) & key.kinds for one in value)
    return tried and key.path[0] != "autotuning" and case.flag("autotuning.enabled")


def _bare_text(entry: Entry) -> str:
    """The value that is a text without quotes; empty when it has some, or is no text."""
    unquoted = isinstance(entry.value, str) and entry.span is not None and entry.span.text[:1] not in {'"', "'"}
    return str(entry.value) if unquoted else ""


def _word(text: str) -> str:
    """What was meant before a comma or comment was swallowed."""
    return _SWALLOWED.split(text, maxsplit=1)[0].strip()


def _bare(case: Case, key: Key, entry: Entry) -> Finding:
    word = _word(entry.value)
    read = PYTHON[word] if word in PYTHON else read_word(key, word)
    fits = not key.kinds or kinds_of(read) & key.kinds
    fixes, helps = _instead(case, key, read if fits else default_of(key), certain=bool(fits))
    return wording.said(
        "CFG549",
        key.path,
        f"without quotes, the value of `{dotted(key.path)}` is the text {shown(entry.value)}",
        wording.entry_label(case, key.path),
        notes=("in HJSON, a text without quotes takes the rest of its line, commas and comments included",),
        helps=helps,
        fixes=fixes,
    )


def _not_finite(case: Case, key: Key, entry: Entry) -> Finding:
    written = _word(entry.span.text) if entry.span else shown(entry.value)
    fixes, helps = _instead(case, key, default_of(key))
    what = "which is no number" if _UNREAL.fullmatch(written) else "more than 64 bits hold"
    return wording.said(
        "CFG544",
        key.path,
        f"`{dotted(key.path)}` is {shown_text(written)}, {what}",
        wording.entry_label(case, key.path),
        helps=helps,
        fixes=fixes,
    )


def shown_text(text: str) -> str:
    """A number as it was written, cut when it is long."""
    return text if len(text) <= wording.SHOWN else f"{text[:20]}… ({len(text)} digits)"


def _converts(case: Case, key: Key, value: Json, read: Json) -> Finding:
    switch = isinstance(value, bool)
    meant = default_of(key) if switch and not key.choices else read
    fixes, helps = _instead(case, key, meant, certain=not switch)
    return wording.said(
        "CFG550",
        key.path,
        f"`{dotted(key.path)}` takes {_wanted(key)}; DeepSpeed reads this {_called(value)} as {shown(read)}",
        wording.entry_label(case, key.path),
        helps=helps,
        fixes=fixes,
        # A number read as a switch means the same; a switch read as a number was meant for another setting.
        severity="warning" if not switch else "error",
    )


def _wrong_kind(case: Case, key: Key, value: Json) -> Finding:
    certain, meant = meant_value(case, key, value)
    fixes, helps = _instead(case, key, meant, certain)
    unchecked = "this section takes any value when it is read: DeepSpeed fails, or does something else, when it uses it"
    return wording.said(
        "CFG550",
        key.path,
        f"`{dotted(key.path)}` takes {_wanted(key)}, not {_called(value, article=True)}",
        wording.entry_label(case, key.path),
        notes=() if key.coerces or (len(key.path) == 1 and "table" in key.kinds) else (unchecked,),
        helps=helps,
        fixes=fixes,
    )


def _members(key: Key, value: Json) -> list[Json]:
    """The members of a list whose kinds are known."""
    return value if isinstance(value, list) and key.items else []


def _wrong_member(case: Case, key: Key, member: Json) -> Finding:
    wanted = " or ".join(name for kind, name in _KINDS.items() if kind in key.items)
    return wording.said(
        "CFG550",
        key.path,
        f"each member of `{dotted(key.path)}` is {wanted}, not {_called(member, article=True)}",
        wording.entry_label(case, key.path),
        helps=(f"remove {shown(member)}, or the whole key",),
        fixes=(Fix((wording.drop(case, key.path),)),),
    )


def _beyond(case: Case, key: Key, value: Json) -> Iterator[Finding]:
    wrong, nearest_value = out_of_bounds(key, value)
    if wrong:
        fixes, helps = _instead(case, key, nearest_value)
        label = wording.entry_label(case, key.path)
        message = f"`{dotted(key.path)}` {wrong}, not {shown(value)}"
        yield wording.said("CFG551", key.path, message, label, helps=helps, fixes=fixes)


def _wanted(key: Key) -> str:
    kinds = key.kinds - ({"int"} if "float" in key.kinds else set())
    names = [name for kind, name in _KINDS.items() if kind in kinds and kind != "null"]
    return " or ".join(names + (["null"] if "null" in kinds and not names else []))


def _called(value: Json, article: bool = False) -> str:
    kinds = kinds_of(value)
    kind: Kind = "int" if "int" in kinds else next(iter(kinds))
    name = {
        "bool": shown(value),
        "null": "null",
        "int": "the number " + shown(value),
        "float": "the number " + shown(value),
    }
    plain = name.get(kind, {"str": "a text", "array": "an array", "table": "a table"}.get(kind, kind))
    return plain if article else plain.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def _instead(case: Case, key: Key, value: Json, certain: bool = False) -> tuple[tuple[Fix, ...], tuple[str, ...]]:
    """The fix that writes ``value``, or leaves the key out when that is MISSING, and the same in words."""
    name = key.path[-1]
    if value is MISSING:
        return (Fix((wording.drop(case, key.path),)),), (f'remove `"{name}"`',)
    return (Fix((wording.give(case, key.path, value),), certain),), (f"write `{wording.pair(name, value)}`",)
