"""Keys and releases: too new, removed, deprecated, or with a default that was another one before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeAlias

from cfgc.deepspeed.case import Case, release_numbers
from cfgc.deepspeed.config import Entry, Json, Path
from cfgc.deepspeed.releases import drifting, history, renamed
from cfgc.deepspeed.structure import wording
from cfgc.deepspeed.structure.wording import Finding, dotted, shown
from cfgc.deepspeed.table import Key
from cfgc.diagnostics import Label
from cfgc.diagnostics.model import Edit, Fix
from cfgc.source import Span

ZERO = ("zero_optimization",)
Defaults: TypeAlias = tuple[tuple[str, Json], ...]
"""Defaults in the order that they came, each with its first release."""


def unread(case: Case, path: Path, consequence: str) -> Iterator[Finding]:
    """What is said of a key that only other releases read."""
    phases = [phase for phase in history(path) if not phase.key.refused]
    here = release_numbers(case.release.version)
    other = renamed(path)
    if other and case.release.key(other):
        yield _renamed(case, path, other, consequence)
        return
    older = [phase for phase in phases if phase.until and release_numbers(phase.until) <= here]
    later = next((phase.since for phase in phases if release_numbers(phase.since) > here), "")
    if older:
        again = f"from {older[-1].until} until {later}" if later else f"since {older[-1].until}"
        what = f"`{dotted(path)}` is read by no DeepSpeed {again}: {consequence}"
        yield _removed(case, path, what, f"remove `{dotted(path)}`")
    elif phases:
        yield _too_new(case, path, phases[0].since, consequence)


def _renamed(case: Case, path: Path, name: Path, consequence: str) -> Finding:
    return wording.said(
        "CFG553",
        path,
        f"DeepSpeed {case.release.version} calls `{dotted(path)}` otherwise, `{dotted(name)}`: {consequence}",
        wording.key_label(case, path),
        helps=(f"write `{dotted(name)}`",),
        fixes=(Fix((wording.move(case, path, name),), certain=True),),
    )


def refused(case: Case, key: Key) -> Iterator[Finding]:
    """A key whose presence stops the release."""
    if not key.refused:
        return
    last = next((phase.until for phase in reversed(history(key.path)) if not phase.key.refused), "")
    stops = f"DeepSpeed {case.release.version} stops where it is written"
    what = f"`{dotted(key.path)}` was removed from DeepSpeed{f' in {last}' if last else ''}: {stops}"
    instead = f"; in its place there is `{dotted(key.replaced_by)}`" if key.replaced_by else ""
    yield _removed(case, key.path, what, f"remove `{dotted(key.path)}`{instead}", (key.refused,))


def _removed(case: Case, path: Path, what: str, helped: str, notes: tuple[str, ...] = ()) -> Finding:
    label = wording.key_label(case, path)
    fix = Fix((wording.drop(case, path),))
    return wording.said("CFG554", path, what, label, notes=notes, helps=(helped,), fixes=(fix,))


def _too_new(case: Case, path: Path, first: str, consequence: str) -> Finding:
    return wording.said(
        "CFG553",
        path,
        f"DeepSpeed reads `{dotted(path)}` only since {first}: {consequence}",
        wording.key_label(case, path),
        helps=(f"use DeepSpeed {first} or newer", f"remove `{dotted(path)}`"),
        fixes=(Fix((wording.drop(case, path),)),),
    )


def old_spelling(case: Case, path: Path, key: Key, entry: Entry) -> Iterator[Finding]:
    """A deprecated key, or the silent alias of a section."""
    if path == ZERO and isinstance(entry.value, bool):
        stage = 1 if entry.value else 0
        edits = (wording.give(case, path, {"stage": stage}),)
        yield _deprecated(case, path, f"a switch for `{dotted(path)}`", f'`"stage": {stage}` in a table', edits)
    new = key.replaced_by or key.alias_of
    if not new and not key.deprecated:
        return
    written = case.config.get(new) if new else None
    if written is not None:
        yield _both(case, path, new, key)
    elif key.deprecated:
        yield _deprecated(
            case, path, f"`{dotted(path)}`", f"`{dotted(new)}`" if new else "", _replacing(case, path, new, entry.value)
        )
    elif isinstance(entry.value, dict):
        yield _alias(case, path, new)


def _both(case: Case, path: Path, new: Path, key: Key) -> Finding:
    version = case.release.version
    what = f"DeepSpeed {version} takes the new one and ignores this"
    if key.deprecated:
        what = f"DeepSpeed {version} stops at the two together"
    return wording.said(
        "CFG556",
        path,
        f"`{dotted(path)}` is an old spelling of `{dotted(new)}`, which is written too: {what}",
        wording.key_label(case, path, "the old spelling"),
        secondary=(wording.key_label(case, new, "the new one"),),
        helps=(f"remove `{dotted(path)}`",),
        fixes=(Fix((wording.drop(case, path),)),),
    )


def _deprecated(case: Case, path: Path, old: str, new: str, edits: tuple[Edit, ...]) -> Finding:
    removed = f"remove `{dotted(path)}`"
    return wording.said(
        "CFG555",
        path,
        f"{old} is deprecated" + (f": its new form is {new}" if new else ""),
        wording.entry_label(case, path),
        helps=(_pasteable(case, edits) or removed,),
        fixes=(Fix(edits, certain=True),),
        severity="warning",
    )


def _pasteable(case: Case, edits: tuple[Edit, ...]) -> str:
    written = next((edit for edit in edits if edit.action == "set"), None)
    return f"write {wording.placed(case, tuple(map(str, written.path)), written.value)}" if written else ""


def _replacing(case: Case, path: Path, new: Path, value: Json) -> tuple[Edit, ...]:
    """The edits that say the same with the new key: a switch becomes the table that it stood for."""
    target = case.release.key(new) if new else None
    if target is None or value is False or value is None:
        return (wording.drop(case, path),)
    if value is True and "table" in target.kinds:
        return (wording.give(case, (*new, "device"), "cpu"), wording.drop(case, path))
    return (wording.give(case, new, value), wording.drop(case, path))


def _alias(case: Case, path: Path, new: Path) -> Finding:
    return wording.said(
        "CFG555",
        path,
        f"`{dotted(path)}` is an old name of `{dotted(new)}`, which DeepSpeed still reads in silence",
        wording.key_label(case, path),
        helps=(f'write `"{new[-1]}"` in its place',),
        fixes=(Fix((wording.move(case, path, new),), certain=True),),
        severity="warning",
    )


def drifted(case: Case, meant: Collection[tuple[str | int, ...]]) -> Iterator[Finding]:
    """One warning about every key that is left out although its default was another one in another release.

    Keys at ``meant`` are there by another name, as another finding says.
    """
    recent = ((path, defaults) for path, defaults in drifting() if _is_recent(case, defaults))
    found = {path: told for path, told in recent if wording.place(case, path) not in meant and _counts(case, path)}
    if not found:
        return
    values = {path: case.release.keys[path].default for path in found}
    verb = "are left out, and their defaults" if len(found) > 1 else "is left out, and its default"
    labels = _section_labels(case, list(found))
    yield wording.said(
        "CFG557",
        next(iter(found)),
        f"{wording.listed(f'`{dotted(path)}`' for path in found)} {verb} changed between releases",
        labels[0] if labels else None,
        secondary=labels[1:],
        notes=[_story(path, told) for path, told in found.items()],
        helps=[
            f"write {wording.placed(case, path, value)}, and an upgrade changes nothing"
            for path, value in values.items()
        ],
        fixes=(Fix(tuple(wording.give(case, path, value) for path, value in values.items())),),
        severity="warning",
    )


def _is_recent(case: Case, defaults: Defaults) -> bool:
    """Whether the default changed in a release that is newer, or of the same line (0.19), or of the one before."""
    major, minor, *_ = release_numbers(case.release.version)
    return release_numbers(defaults[-1][0]) >= (major, minor - 1)


def _counts(case: Case, path: Path) -> bool:
    """Whether the release's default of ``path`` decides something: its section is written and not switched off.

    A default of null is none that could be written in its place.
    """
    key = case.release.key(path)
    if key is None or key.default is None or key.alias_of or key.deprecated or _written(case, path, key):
        return False
    section = path[:-1]
    if not section:
        return True
    entry = case.config.get(section)
    if entry is None or not isinstance(entry.value, dict):
        return False
    device = (*section, "device")
    if case.release.key(device):
        return case.value(dotted(device)) not in ("none", None)
    return case.value(dotted((*section, "enabled"))) is not False


def _written(case: Case, path: Path, key: Key) -> bool:
    """Whether the key is given, under any of its names."""
    names = [p for p, other in case.release.keys.items() if p == path or path in (other.alias_of, other.replaced_by)]
    return any(case.config.get(name) is not None for name in names)


def _section_labels(case: Case, paths: list[Path]) -> list[Label]:
    """Where the keys would stand: the names of their sections, or the beginning of the file."""
    sections = dict.fromkeys(path[:-1] for path in paths)
    told = {s: f"no {wording.listed(f'`{path[-1]}`' for path in paths if path[:-1] == s)}" for s in sections}
    labels = [wording.key_label(case, s, text) if s else _top(case, text) for s, text in told.items()]
    return [label for label in labels if label]


def _top(case: Case, text: str) -> Label | None:
    source = case.config.source
    start = max(source.text.find("{"), 0)
    return None if case.config.home else Label(Span(source, start, start + 1), text)


def _story(path: Path, defaults: Defaults) -> str:
    """``a`` is 0 before 0.19.3, 1.0 since 0.19.3."""
    (_, first), *later = defaults
    told = [f"{shown(first)} before {later[0][0]}", *(f"{shown(default)} since {since}" for since, default in later)]
    return f"without it, `{dotted(path)}` is {', '.join(told)}"
