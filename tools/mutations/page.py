"""The results as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cfgc.deepspeed.releases import newest_release
from tools.mutations.operators import Mutation
from tools.mutations.verdict import Verdict

Row: TypeAlias = tuple[Verdict, str]
"""A verdict, and DeepSpeed's word on the same file; empty when it was not asked."""

NAMES = ("misspelt", "moved", "wrong type", "out of range", "contradicting")


@dataclass(frozen=True)
class Study:
    """The verdicts of one seed; ``theirs`` is DeepSpeed's word by position, of ds_configs only."""

    seed: int
    verdicts: Sequence[Verdict]
    theirs: Mapping[int, str]

    def rows(self, kind: str) -> list[Row]:
        """The verdicts on files of ``kind``, each with DeepSpeed's word or nothing."""
        numbered = enumerate(self.verdicts)
        return [(v, self.theirs.get(number, "")) for number, v in numbered if v.mutation.subject.kind == kind]


def page(studies: Sequence[Study], alarms: Mapping[str, Sequence[str]], command: str) -> str:
    """The whole page. ``alarms`` are the codes of errors on unspoilt files."""
    lines = [OPENING.format(release=newest_release(), command=command), *_false_alarms(alarms)]
    for study in studies:
        for kind, title in (("spec", "specs"), ("ds_config", "ds_configs")):
            lines += [f"## Seed {study.seed}, {title}", "", *_table(study.rows(kind)), ""]
    rows = [row for study in studies for kind in ("spec", "ds_config") for row in study.rows(kind)]
    lines += ["## Not diagnosed", "", *_list(rows, lambda v: not v.diagnosed), ""]
    lines += ["## Diagnosed elsewhere", "", *_list(rows, lambda v: v.diagnosed and not v.placed), ""]
    lines += ["## Not mended by the first fix", "", *_list(rows, lambda v: v.diagnosed and not v.mended), ""]
    lines += ["## Only a warning", "", *_list(rows, lambda v: v.diagnosed and not v.errors), ""]
    lines += ["## Every mutation", "", *_all(rows)]
    return "\n".join(lines).rstrip() + "\n"


OPENING = """\
# What single mistakes cost

Good files, spoilt in one place each: operator, file and key are drawn at random from a recorded seed, over all leaves,
never chosen. *Misspelt* changes a letter of a key's name; *moved* puts a key into another table; *wrong type* gives a
word, number, switch, table or array for another of them; *out of range* a number below everything sensible or absurdly
large, or a choice that there is none of; *contradicting* a value that is fine alone and cannot hold beside another one
(the pairs are listed in `tools/mutations/relations.py`).

*Diagnosed* counts errors and warnings; *errors* those that stop a build; *right place* is a mark on the key that is
wrong or on the one that it contradicts; *mended* says that first fixes, applied, make the file hold again. DeepSpeed's
column is the verdict of its own parser (`DeepSpeedConfig` of DeepSpeed {release}) on the same ds_config. The first seed
was looked at again and again while cfgc was being mended, the last only once, at the end.

Made by `{command}`.
"""


def _false_alarms(alarms: Mapping[str, Sequence[str]]) -> Iterator[str]:
    wrong = {name: codes for name, codes in alarms.items() if codes}
    yield f"False alarms on the {len(alarms)} unspoilt files: {sum(map(len, wrong.values()))} errors."
    yield ""
    for name, codes in wrong.items():
        yield f"- {name}: {', '.join(codes)}"
    if wrong:
        yield ""


def _table(rows: Sequence[Row]) -> Iterator[str]:
    asked = any(word for _, word in rows)
    yield "| operator | mutations | diagnosed | errors | right place | with a help | mended |" + (
        " DeepSpeed refuses |" if asked else ""
    )
    yield "| --- |" + " ---: |" * (7 if asked else 6)
    for name in (*NAMES, "all"):
        chosen = [(v, word) for v, word in rows if name in ("all", v.mutation.operator)]
        counts = (
            len(chosen),
            sum(v.diagnosed for v, _ in chosen),
            sum(bool(v.errors) for v, _ in chosen),
            sum(v.placed for v, _ in chosen),
            sum(v.helped for v, _ in chosen),
            sum(v.mended for v, _ in chosen),
            *((sum(word.startswith("refused") for _, word in chosen),) if asked else ()),
        )
        yield f"| {name} | " + " | ".join(map(str, counts)) + " |"


def _list(rows: Sequence[Row], wanted: Callable[[Verdict], bool]) -> Iterator[str]:
    found = [(v, word) for v, word in rows if wanted(v)]
    if not found:
        yield "None."
    for verdict, word in found:
        said = f" DeepSpeed: {word}." if word else ""
        yield f"- {_where(verdict.mutation)}: {verdict.mutation.said}. {_codes(verdict)}.{said}"


def _all(rows: Sequence[Row]) -> Iterator[str]:
    yield "| file | operator | change | cfgc | place | mended | DeepSpeed |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for verdict, word in rows:
        mutation = verdict.mutation
        said = mutation.said.replace("|", "\\|")
        cells = (_codes(verdict), _mark(verdict.placed), _mark(verdict.mended), word)
        yield f"| {_where(mutation)} | {mutation.operator} | {said} | {' | '.join(cells)} |"


def _where(mutation: Mutation) -> str:
    return mutation.subject.name


def _codes(verdict: Verdict) -> str:
    if verdict.crashed:
        return f"CRASHED {verdict.crashed}"
    counted = Counter((*verdict.errors, *(f"{code} (warning)" for code in verdict.warnings)))
    return ", ".join(counted) or "nothing"


def _mark(holds: bool) -> str:
    return "yes" if holds else "no"
