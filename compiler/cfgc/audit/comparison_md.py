"""A comparison as Markdown, for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from cfgc.audit.comparing import DEFAULT, WORST_FIRST, Change, Comparison
from cfgc.audit.comparison_words import meaning, origin_text, value_texts, verdict
from cfgc.audit.facts import Fact
from cfgc.emit.markdown import code, counted, table, text
from cfgc.sweep.numbers import told
from cfgc_runtime.values import DS_CONFIG, Kind

_HEAD: Final = ("key", "before", "after", "from")
_MOST: Final = 100
"""Lines of a fact: a comment on GitHub has an end."""


def comparison_md(comparison: Comparison, only: Collection[Kind] = ()) -> str:
    """All of it, or what is of the classes ``only``; a newline at the end."""
    head = [f"### {code(comparison.old.name)} → {code(comparison.new.name)}", "", f"{_sentence(comparison)}."]
    return "\n".join([*head, *_body(comparison, only)]) + "\n"


def _sentence(comparison: Comparison) -> str:
    said = verdict(comparison)
    said = said[0].upper() + said[1:]
    return said.replace(f"class {comparison.worst}", f"class **{comparison.worst}**", 1)


def _body(comparison: Comparison, only: Collection[Kind]) -> Iterator[str]:
    for kind in WORST_FIRST:
        if not only or kind in only:
            yield from _of_kind(comparison, kind)
    if not only:
        yield from _folded(comparison)
    for name, stage in (comparison.stages or {}).items():
        yield from ("", f"#### Stage {code(name)}", "", f"{_sentence(stage)}.", *_body(stage, only))


def _of_kind(comparison: Comparison, kind: Kind) -> Iterator[str]:
    changes = [*comparison.changes, *(comparison.ds_config if comparison.counts_ds_config else ())]
    rows = [_row(change) for change in changes if change.kind == kind]
    lines = [*(["", *table(_HEAD, rows)] if rows else []), *_points(comparison, kind)]
    facts = [fact for fact in comparison.facts if fact.kind == kind]
    lines += ["", *(f"- {text(fact.subject)}: {text(fact.text)}" for fact in facts)] if facts else []
    if lines:
        yield from ("", f"**{kind}**: {meaning(comparison, kind)}", *lines)
        yield from (line for fact in facts for line in _details(fact))


def _row(change: Change) -> tuple[str, ...]:
    before, after = map(code, value_texts(change.old, change.new))
    if change.follows:
        return (
            code(change.key),
            before,
            after,
            DEFAULT if change.follows == DEFAULT else f"follows {code(change.follows)}",
        )
    origins = [code(text) for text in dict.fromkeys(map(origin_text, (change.old_steps, change.new_steps))) if text]
    return code(change.key), before, after, " → ".join(origins)


def _points(comparison: Comparison, kind: Kind) -> Iterator[str]:
    found = [(point.difference, told(point.points)) for point in comparison.points if point.difference.kind == kind]
    rows = [(code(one.key), *map(code, value_texts(one.old, one.new)), numbers) for one, numbers in found]
    if rows:
        yield from ("", *table(("key", "before", "after", "points"), rows))


def _folded(comparison: Comparison) -> Iterator[str]:
    """What is seldom looked at."""
    if comparison.ds_config and not comparison.counts_ds_config:
        pairs = [
            (change.key.removeprefix(DS_CONFIG), *value_texts(change.old, change.new))
            for change in comparison.ds_config
        ]
        title = f"ds_config.json, which follows from these: {counted(len(pairs), 'key')}"
        yield from _details_of(title, table(("key", "before", "after"), [tuple(map(code, pair)) for pair in pairs]))
    for fact in comparison.facts:
        if fact.kind is None:
            yield from _details(fact) if fact.details else ("", f"{text(fact.subject)}: {text(fact.text)}")


def _details(fact: Fact) -> Iterator[str]:
    if fact.details:
        is_script = fact.subject.startswith("script ")
        yield from _details_of(
            f"{fact.subject}: {fact.text}", _fenced(fact.details[:_MOST], "diff" if is_script else "")
        )


def _details_of(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from ("", f"<details><summary>{_html(title)}</summary>", "", *lines, "", "</details>")


def _fenced(lines: Sequence[str], language: str) -> list[str]:
    shown = ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *shown, fence]


def _html(text: str) -> str:
    return "".join(c if c.isalnum() or c in " .,:/-" else f"&#{ord(c)};" for c in text)
