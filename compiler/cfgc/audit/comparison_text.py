"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from cfgc.audit.comparing import WORST_FIRST, Change, Comparison
from cfgc.audit.comparison_words import arrow, meaning, origin_text, value_texts, verdict, why
from cfgc.audit.facts import Fact
from cfgc.diagnostics.text import printable
from cfgc.sweep.numbers import told
from cfgc_runtime.values import DS_CONFIG, Kind

Role: TypeAlias = Literal["bold", "old", "new", "dim"]
Paint: TypeAlias = Callable[[str, Role], str]

_DETAILS: Final = 12
"""Lines of a fact that are shown; those of a script's difference all are."""


def plain(text: str, role: Role) -> str:
    """No colour."""
    del role
    return text


def coloured(text: str, role: Role) -> str:
    """ANSI colours for a terminal."""
    return f"\x1b[{ {'bold': '1', 'old': '31', 'new': '32', 'dim': '2'}[role] }m{text}\x1b[0m"


def comparison_text(comparison: Comparison, only: Collection[Kind] = (), paint: Paint = plain) -> str:
    """All of it, or what is of the classes ``only``; a newline at the end."""
    head = [
        paint(f"- {printable(comparison.old.name)}", "old"),
        paint(f"+ {printable(comparison.new.name)}", "new"),
        paint(verdict(comparison), "bold"),
    ]
    return "\n".join([*head, *_body(comparison, only, paint)]) + "\n"


def _body(comparison: Comparison, only: Collection[Kind], paint: Paint) -> Iterator[str]:
    for kind in WORST_FIRST:
        if not only or kind in only:
            yield from _of_kind(comparison, kind, paint)
    if not only:
        yield from _of_no_kind(comparison, paint)
    for name, stage in (comparison.stages or {}).items():
        said = "the same, byte for byte" if stage.is_same else verdict(stage)
        yield from ("", paint(f"stage {printable(name)}: {said}", "bold"))
        yield from (f"  {line}".rstrip() for line in _body(stage, only, paint))


def _of_kind(comparison: Comparison, kind: Kind, paint: Paint) -> Iterator[str]:
    lines = [
        *_changes([change for change in comparison.changes if change.kind == kind], paint),
        *_points(comparison, kind),
        *(line for fact in comparison.facts if fact.kind == kind for line in _fact(fact, paint)),
    ]
    if comparison.counts_ds_config:
        lines += _changes([change for change in comparison.ds_config if change.kind == kind], paint)
    if lines:
        yield from ("", paint(f"{kind}: {meaning(comparison, kind)}", "bold"), *lines)


def _of_no_kind(comparison: Comparison, paint: Paint) -> Iterator[str]:
    if comparison.ds_config and not comparison.counts_ds_config:
        yield from ("", paint("ds_config.json, which follows from these", "bold"))
        keys = [change.key.removeprefix(DS_CONFIG) for change in comparison.ds_config]
        yield from _aligned(keys, map(arrow, comparison.ds_config))
    facts = [fact for fact in comparison.facts if fact.kind is None]
    if facts:
        yield from ("", paint("what changes nothing that runs by itself", "bold"))
        yield from (line for fact in facts for line in _fact(fact, paint))


def _changes(changes: Sequence[Change], paint: Paint) -> Iterator[str]:
    for change in changes:
        if not change.follows:
            yield f"  {printable(change.key)}"
            texts = value_texts(change.old, change.new)
            width = max(map(len, texts))
            for sign, text, steps in zip("-+", texts, (change.old_steps, change.new_steps), strict=True):
                value = paint(f"{sign} {text}", "old" if sign == "-" else "new") + " " * (width - len(text))
                yield f"    {value}  {paint(origin_text(steps), 'dim')}" if steps else f"    {value}".rstrip()
    following = [change for change in changes if change.follows]
    keys, rows = [change.key for change in following], [f"{arrow(change)}  " for change in following]
    width = max(map(len, rows), default=0)
    ends = (paint(printable(why(change)), "dim") for change in following)
    yield from _aligned(keys, (row.ljust(width) + end for row, end in zip(rows, ends, strict=True)))


def _points(comparison: Comparison, kind: Kind) -> Iterator[str]:
    for point in comparison.points:
        if point.difference.kind == kind:
            which = f"{'point' if len(point.points) == 1 else 'points'} {told(point.points)}"
            yield f"  {printable(str(point.difference))}  ({which})"


def _fact(fact: Fact, paint: Paint) -> Iterator[str]:
    yield f"  {printable(fact.subject)}: {printable(fact.text)}"
    most = len(fact.details) if fact.subject.startswith("script ") else _DETAILS
    for line in fact.details[:most]:
        role: Role | None = "old" if line.startswith("-") else "new" if line.startswith("+") else None
        yield f"    {paint(printable(line), role) if role else printable(line)}"
    if len(fact.details) > most:
        yield f"    … {len(fact.details) - most} more"


def _aligned(keys: Sequence[str], texts: Iterator[str]) -> Iterator[str]:
    shown = [printable(key) for key in keys]
    width = max(map(len, shown), default=0)
    return (f"  {key.ljust(width)}  {text}".rstrip() for key, text in zip(shown, texts, strict=True))
