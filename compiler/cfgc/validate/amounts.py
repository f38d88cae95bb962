"""What to write for an amount that names no unit, or spells one in another way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cfgc.schema.units import format_duration, parse_duration
from cfgc.validate.substitutes import instead

if TYPE_CHECKING:
    from cfgc.validate.bad_values import Refused

_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\.?\s*")
_CLOCK = re.compile(r"\s*([0-9]{1,4}):([0-5]?[0-9])\s*")
_DAYS = re.compile(r"\s*([0-9]{1,4})-([0-9]{1,2})(?::([0-5][0-9]))?\s*")
_TIMES = {"s": "s", "sec": "s", "second": "s", "m": "min", "min": "min", "minute": "min", "h": "h", "hr": "h"}
_TIMES |= {"hour": "h", "d": "d", "day": "d"}
_SIZE = re.compile(r"([kmgtp])?(i)?(b|bytes?)?")
_OF_SBATCH: Final = frozenset(("time_limit", "memory_per_node"))
"""Keys that are options of sbatch, which reads a number without a unit as minutes, or as megabytes."""


def unit_helps(refused: Refused) -> tuple[str, ...]:
    """The line for an amount whose unit is spelt in another way, or lines with every unit that could be meant; what
    else could be written when it is no amount."""
    name, text = refused.location[-1], str(refused.value)
    is_time = refused.error["type"] == "duration"
    amount = _AMOUNT.fullmatch(text)
    if amount and not amount[2]:
        return (_of_time if is_time else _of_size)(str(name), amount[1])
    unit = _unit(amount[2].lower(), is_time) if amount else None
    if amount and unit:
        return (f'write `{name} = "{amount[1]}{unit}"`',)
    return (_of_clock(str(name), text) if is_time else ()) or instead(refused, "")[1:]


def _of_time(name: str, number: str) -> tuple[str, ...]:
    """Hours first where a whole job is meant, seconds first for a wait."""
    said = [("hours", f'"{number}h"'), ("minutes", f'"{number}min"'), ("seconds", f'"{number}s"')]
    said = [(unit, written) for unit, written in said if parse_duration(written.strip('"')) is not None]
    if not said:
        return ()
    asked = name in _OF_SBATCH
    units, written = zip(*(said if asked else said[::-1]), strict=True)
    meant = _listed(units).replace("minutes", "minutes (as sbatch reads it)") if asked else _listed(units)
    return (_lines(name, written, meant),)


def _of_size(name: str, number: str) -> tuple[str, ...]:
    meant = "sbatch reads it as the second" if name in _OF_SBATCH else "a number alone is bytes"
    return (_lines(name, (f'"{number}GiB"', f'"{number}MiB"'), meant),)


def _of_clock(name: str, text: str) -> tuple[str, ...]:
    """``24:00``, ``1-12`` and ``1-12:30``, which sbatch takes and which are no clock here."""
    if days := _DAYS.fullmatch(text):
        return (f'write `{name} = "{days[1]}-{days[2]}:{days[3] or "00"}:00"`',)
    clock = _CLOCK.fullmatch(text)
    if not clock:
        return ()
    first, second = int(clock[1]), int(clock[2])
    written = [f'"{format_duration(first * 3_600 + second * 60)}"', f'"{format_duration(first * 60 + second)}"']
    as_sbatch = " (as sbatch reads it)" if name in _OF_SBATCH else ""
    return (_lines(name, written, f"hours and minutes, or minutes and seconds{as_sbatch}"),)


def _lines(name: str, written: tuple[str, ...] | list[str], meant: str) -> str:
    first, *others = written
    return f"write {_listed([f'`{name} = {first}`', *(f'`{other}`' for other in others)])}: {meant}"


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _unit(word: str, is_time: bool) -> str | None:
    """The unit as it is spelt here; None when it is not known."""
    if is_time:
        return _TIMES.get(word) or _TIMES.get(word.removesuffix("s"))
    found = _SIZE.fullmatch(word)
    binary = found and found[1] and (found[2] or not found[3])
    return f"{(found[1] or '').upper()}{'i' if binary else ''}B" if found else None
