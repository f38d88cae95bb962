"""Values against what a key takes: type, bounds and choices, as DeepSpeed's own sections treat them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.config import AUTO, Entry, Json
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.autos import FILLED
from cfgc.deepspeed.structure.kinds import FALSE, TRUE, kinds_of, read_as
from cfgc.deepspeed.structure.wording import Finding, dotted, shown
from cfgc.deepspeed.table import MISSING, Key, Kind
from cfgc.diagnostics.model import Fix
from cfgc.nearest import nearest

_KINDS: dict[Kind, str] = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "str": "a text",
    "null": "null",
    "array": "an array",
    "table": "a table",
}
_SHORT = {"float16": "fp16", "half": "fp16", "bfloat16": "bf16", "float32": "fp32", "float": "fp32"}
"""Names that torch has for what DeepSpeed calls otherwise."""
_PYTHON = {"True": True, "False": False, "None": None}
_UNREAL = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_UNITS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgb]?)i?(?:b|bytes)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_SWALLOWED = re.compile(r"[,}\]#]|//|/\*")


def value_findings(case: Case, key: Key, entry: Entry) -> Iterator[Finding]:
    """What is wrong with the value of ``key``, at most one finding."""
    value = entry.value
    if (isinstance(value, float) and not math.isfinite(value)) or (_is_bare(entry) and _UNREAL.fullmatch(_word(value))):
        yield _not_finite(case, key, entry)
    elif _is_bare(entry) and (_SWALLOWED.search(value) or _word(value) in _PYTHON):
        yield _bare(case, key, entry)
    elif not key.kinds:
        return
    elif kinds_of(value) & key.kinds:
        odd = next((x for x in value if not kinds_of(x) & key.items), None) if _lists(key, value) else None
        yield from [_wrong_member(case, key, odd)] if odd is not None else _beyond(case, key, value)
    elif (read := read_as(key, value)) is not MISSING:
        beyond = list(_beyond(case, key, read))
        yield from beyond or [_converts(case, key, value, read)]
    elif not _is_tuned(case, key, value):
        yield _wrong_kind(case, key, value)


def _is_tuned(case: Case, key: Key, value: Json) -> bool:
    """Whether the value is a list of those that DeepSpeed's autotuner is to try."""
    tried = isinstance(value, list) and all(kinds_of(one) & key.kinds for one in value)
    return tried and key.path[0] != "autotuning" and case.flag("autotuning.enabled")


def _is_bare(entry: Entry) -> bool:
    """Whether the value is a text without quotes."""
    return isinstance(entry.value, str) and entry.span is not None and entry.span.text[:1] not in {'"', "'"}


def _word(text: str) -> str:
    """What was meant before a comma or comment was swallowed."""
    return _SWALLOWED.split(text, maxsplit=1)[0].strip()


def _bare(case: Case, key: Key, entry: Entry) -> Finding:
    word = _word(entry.value)
    read = _PYTHON[word] if word in _PYTHON else _read(key, word)
    fits = not key.kinds or kinds_of(read) & key.kinds
    fixes, helps = _instead(case, key, read if fits else _default(key), certain=bool(fits))
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
    fixes, helps = _instead(case, key, _default(key))
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
    fixes, helps = _instead(case, key, read, certain=True)
    return wording.said(
        "CFG550",
        key.path,
        f"`{dotted(key.path)}` takes {_wanted(key)}; DeepSpeed reads this {_called(value)} as {shown(read)}",
        wording.entry_label(case, key.path),
        helps=helps,
        fixes=fixes,
        severity="warning",
    )


def _wrong_kind(case: Case, key: Key, value: Json) -> Finding:
    certain, meant = _meant(case, key, value)
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


def _lists(key: Key, value: Json) -> bool:
    return isinstance(value, list) and bool(key.items)


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
    wrong, nearest_value = _out_of_bounds(key, value)
    if wrong:
        fixes, helps = _instead(case, key, nearest_value)
        label = wording.entry_label(case, key.path)
        message = f"`{dotted(key.path)}` {wrong}, not {shown(value)}"
        yield wording.said("CFG551", key.path, message, label, helps=helps, fixes=fixes)


def _out_of_bounds(key: Key, value: Json) -> tuple[str, Json]:  # noqa: PLR0911 - one for each bound
    """What the value has to be, and the nearest such value; nothing when it is."""
    wrong = next((x for x in (value if isinstance(value, list) else [value]) if not _chosen(key, x)), MISSING)
    if wrong is not MISSING:
        each = "holds only" if isinstance(value, list) else "is one of"
        return f"{each} {', '.join(map(shown, key.choices))}", _nearest_choice(key, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "", None
    if key.minimum is not None and value < key.minimum:
        return f"is at least {key.minimum:.17g}", _raised(key, key.minimum, value)
    if key.maximum is not None and value > key.maximum:
        return f"is at most {key.maximum:.17g}", key.maximum
    if key.above is not None and value <= key.above:
        return f"is greater than {key.above:.17g}", _default(key)
    if key.below is not None and value >= key.below:
        return f"is less than {key.below:.17g}", _default(key)
    return "", None


def _raised(key: Key, bound: float, value: float) -> Json:
    """The number without its sign, MISSING where none is needed, the default, or the bound."""
    if value < 0 and bound <= -value < 2**63:
        return -value
    if key.default is None and "null" in key.kinds:
        return MISSING
    default = _default(key)
    return (int(bound) if float(bound).is_integer() else bound) if default is MISSING else default


def _chosen(key: Key, value: Json) -> bool:
    """Whether ``value`` is a choice, or of a kind that has none."""
    alike = [choice for choice in key.choices if kinds_of(choice) & kinds_of(value)]
    return not alike or any(_same(key, value, choice) for choice in alike)


def _same(key: Key, value: Json, choice: Json) -> bool:
    if key.any_case and isinstance(value, str) and isinstance(choice, str):
        return value.lower() == choice.lower()
    return bool(value == choice)


def _nearest_choice(key: Key, value: Json) -> Json:
    if isinstance(value, list):
        return [x for x in value if _chosen(key, x)]
    if isinstance(value, str):
        value = _SHORT.get(value.lower().removeprefix("torch."), value)
        near = nearest(value, [choice for choice in key.choices if isinstance(choice, str)])
        return near or _default(key)
    numbers = [choice for choice in key.choices if isinstance(choice, int | float)]
    return min(numbers, key=lambda choice: abs(choice - value)) if numbers else _default(key)


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


def _meant(case: Case, key: Key, value: Json) -> tuple[bool, Json]:
    """The value that was probably meant, and whether nothing else can be."""
    if isinstance(value, str):
        read = _read(key, value.strip())
        if read != value and kinds_of(read) & key.kinds:
            return read != _measured(key, value.strip()) or _is_json(value), read
    if "table" in key.kinds and isinstance(value, bool | str):
        names = ("enabled",) if isinstance(value, bool) else ("device", "type")
        inner = next((x for name in names if (x := case.release.key((*key.path, name)))), None)
        if inner and _chosen(inner, value):
            return True, {inner.path[-1]: value}
    if (inner := _inside(key, value)) is not MISSING:
        return False, inner
    if isinstance(value, float) and "int" in key.kinds:
        return False, round(value) or int(value > 0)
    return False, _default(key)


def _inside(key: Key, value: Json) -> Json:
    """The one value of an array or table that is a value of the key; MISSING when there is none."""
    held = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if len(held) != 1:
        return MISSING
    fits = kinds_of(held[0]) & key.kinds or (held[0] == AUTO and key.path in FILLED)
    return held[0] if fits and (held[0] == AUTO or not _out_of_bounds(key, held[0])[0]) else MISSING


def _read(key: Key, word: str) -> Json:
    """A word as the value that it spells: ``True``, ``yes``, ``5e8``; the word itself when it spells none."""
    if word in _PYTHON:
        return _PYTHON[word]
    if "bool" in key.kinds and word.lower() in TRUE | FALSE:
        return word.lower() in TRUE
    try:
        value = json.loads(word)
    except ValueError:
        return _measured(key, word)
    if isinstance(value, float):
        whole = value.is_integer() and "float" not in key.kinds
        return int(value) if whole else value if math.isfinite(value) else word
    return value


def _is_json(word: str) -> bool:
    try:
        json.loads(word)
    except ValueError:
        return False
    return True


def _measured(key: Key, word: str) -> Json:
    """A number with marks between its digits, or a unit behind them; the word itself when it is none."""
    number = _UNITS.fullmatch(word.replace(",", "").replace("_", ""))
    if not number or not key.kinds & {"int", "float"}:
        return word
    value = float(number[1]) * _FACTORS[number[2].lower()]
    read = int(value) if value.is_integer() else value
    return word if not kinds_of(read) & key.kinds or _out_of_bounds(key, read)[0] else read


def _default(key: Key) -> Json:
    """The default as a value to write; MISSING when there is none to write."""
    return MISSING if key.default is None else key.default


def _instead(case: Case, key: Key, value: Json, certain: bool = False) -> tuple[tuple[Fix, ...], tuple[str, ...]]:
    """The fix that writes ``value``, or leaves the key out when that is MISSING, and the same in words."""
    name = key.path[-1]
    if value is MISSING:
        return (Fix((wording.drop(case, key.path),)),), (f'remove `"{name}"`',)
    return (Fix((wording.give(case, key.path, value),), certain),), (f"write `{wording.pair(name, value)}`",)
