"""Helps read as fixes, so that what is said and what is done are the same.

A help is a sentence of a small language: "set `a = 1` and `b = 2`", "drop `a`, or set `b = c` or `d`", "leave it
out; …".
What follows a semicolon is an explanation, "or" begins another way, code is a key, a value, or both.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cfgc.diagnostics.model import Edit, Fix
from cfgc.validate.remedy import Remedy
from cfgc.validate.wording import meant_path

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved

_SAID = re.compile(r"(?P<gap>[^`]*)(?:`(?P<code>[^`]*)`)?")
_VERB = re.compile(r"\b(set|write|add|drop|remove|leave|choose|replace)\b")
_ASSIGNMENT = re.compile(r"(?P<key>[A-Za-z_][\w.]*) = (?P<value>.+)", re.DOTALL)
_AWAY = re.compile(r"\b(?:drop|remove) (?:it|the \w+)\b|\bleave (?:it|the table) out\b")
_STAYS = re.compile(r"\bleave it at (\S+)")

_DROPPING = {"drop", "remove"}


@dataclass
class _Way:
    """One of the ways that a help names: what it sets, and what it drops."""

    edits: list[Edit] = field(default_factory=list)
    last_key: str = ""
    done: bool = True


def fixes_of(helps: Iterable[str], resolved: Resolved, keys: Sequence[str]) -> tuple[Fix, ...]:
    """A fix for each way that ``helps`` name and a file of the project can go. ``keys`` are what they are about."""
    remedy = Remedy(resolved)
    found = [way for text in helps for way in _ways(text, remedy, keys)]
    return tuple(Fix(_once(way.edits)) for way in found if way.edits and way.done)


def _once(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    return tuple(edit for index, edit in enumerate(edits) if edit not in edits[:index])


def _ways(text: str, remedy: Remedy, keys: Sequence[str]) -> Iterator[_Way]:
    way, verb = _Way(), ""
    for said in _SAID.finditer(text):
        gap, code = said["gap"], said["code"]
        sentence, _, explanation = gap.partition(";")
        if re.search(r"\bor\b", sentence) and way.edits:
            key = way.last_key
            yield way
            way = _Way(last_key=key)
        verb = (_VERB.findall(sentence) or [verb])[-1]
        _without_code(way, sentence, remedy, keys)
        if explanation:
            break
        if code is not None:
            _take(way, verb, code, sentence, remedy, keys)
    yield way


def _without_code(way: _Way, sentence: str, remedy: Remedy, keys: Sequence[str]) -> None:
    """What is said of the key itself: "drop it", "leave it at 1"."""
    stays = _STAYS.search(sentence)
    if stays:
        way.edits += remedy.set(_path(keys[0]), _value(stays[1].rstrip(";,")))
    elif _AWAY.search(sentence):
        way.edits += remedy.drop(_path(keys[0]))


def _take(way: _Way, verb: str, code: str, gap: str, remedy: Remedy, keys: Sequence[str]) -> None:
    assignment = _ASSIGNMENT.fullmatch(code)
    if assignment:
        way.last_key = assignment["key"]
        _set(way, assignment["key"], _value(assignment["value"]), gap, remedy, keys)
    elif verb in _DROPPING:
        path = _known(code, keys)
        way.edits += remedy.drop(path) if path else ()
    elif not way.edits and _value(code) is not None and not gap.strip(" ,").endswith("`"):
        _set(way, way.last_key or keys[0], _value(code), "", remedy, keys)


def _set(way: _Way, key: str, value: Any, gap: str, remedy: Remedy, keys: Sequence[str]) -> None:
    if key == "unset" and isinstance(value, list):
        dropped = [edit for name in value for edit in remedy.drop(_path(name))]
        way.edits += [edit for edit in dropped if edit not in way.edits]
        return
    if "overlay" in gap or "hardware as a whole" in gap:
        way.edits += remedy.choose(key, str(value))
        return
    path = _known(key, keys)
    edits = remedy.set(path, value) if path and value is not None else ()
    way.done = way.done and bool(edits)
    way.edits += edits


def _known(key: str, keys: Sequence[str]) -> tuple[str, ...] | None:
    if key in keys:
        return _path(key)
    return meant_path(key, keys)


def _path(key: str) -> tuple[str, ...]:
    return tuple(key.split("."))


def _value(text: str) -> Any:
    """The TOML value; None when it is none."""
    try:
        return tomllib.loads(f"x = {text}")["x"] if "\n" not in text else None
    except ValueError:
        return None
