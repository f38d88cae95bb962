"""The results as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from tools.mutations.operators import Mutation
from tools.mutations.verdict import Verdict

NAMES = ("misspelt", "moved", "wrong type", "out of range", "contradicting")


def page(
    verdicts: Sequence[Verdict], theirs: Mapping[int, str], alarms: Mapping[str, Sequence[str]], command: str
) -> str:
    """The whole page. ``theirs`` is DeepSpeed's word by position in ``verdicts``, of ds_configs only."""
    lines = [
        "# What single mistakes cost",
        "",
        "Good files, spoilt in one place each: operator, file and key are drawn at random from a recorded seed, never",
        "chosen. *Diagnosed* counts errors and warnings; *errors* those that stop a build; *right place* is a mark on",
        "the key that is wrong or on the one that it contradicts; *mended* says that the first fix, applied, makes the",
        "file hold again. Beside it stands what DeepSpeed's own parser says of the same ds_config.",
        "",
        f"Made by `{command}`.",
        "",
        *_false_alarms(alarms),
    ]
    for kind, title in (("spec", "Specs"), ("ds_config", "ds_configs")):
        chosen = [(number, v) for number, v in enumerate(verdicts) if v.mutation.subject.kind == kind]
        lines += [f"## {title}", "", *_table(chosen, theirs if kind == "ds_config" else {}), ""]
    lines += ["## What was not diagnosed", "", *_list(verdicts, lambda v: not v.diagnosed, theirs), ""]
    lines += ["## Diagnosed elsewhere", "", *_list(verdicts, lambda v: v.diagnosed and not v.placed, theirs), ""]
    lines += [
        "## Not mended by the first fix",
        "",
        *_list(verdicts, lambda v: v.diagnosed and not v.mended, theirs),
        "",
    ]
    lines += ["## Every mutation", "", *_all(verdicts, theirs)]
    return "\n".join(lines).rstrip() + "\n"


def _false_alarms(alarms: Mapping[str, Sequence[str]]) -> Iterator[str]:
    wrong = {name: codes for name, codes in alarms.items() if codes}
    yield f"False alarms on the {len(alarms)} unspoilt files: {sum(map(len, wrong.values()))} errors."
    yield ""
    for name, codes in wrong.items():
        yield f"- {name}: {', '.join(codes)}"
    if wrong:
        yield ""


def _table(chosen: Sequence[tuple[int, Verdict]], theirs: Mapping[int, str]) -> Iterator[str]:
    more = " DeepSpeed refuses |" if theirs else ""
    yield f"| operator | mutations | diagnosed | errors | right place | with a help | mended |{more}"
    yield "| --- |" + " ---: |" * (7 if theirs else 6)
    for name in (*NAMES, "all"):
        rows = [(number, v) for number, v in chosen if name in ("all", v.mutation.operator)]
        counts = (
            len(rows),
            sum(v.diagnosed for _, v in rows),
            sum(bool(v.errors) for _, v in rows),
            sum(v.placed for _, v in rows),
            sum(v.helped for _, v in rows),
            sum(v.mended for _, v in rows),
            *((sum(theirs[number].startswith("refused") for number, _ in rows),) if theirs else ()),
        )
        yield f"| {name} | " + " | ".join(map(str, counts)) + " |"


def _list(verdicts: Sequence[Verdict], wanted: Callable[[Verdict], bool], theirs: Mapping[int, str]) -> Iterator[str]:
    found = [(number, v) for number, v in enumerate(verdicts) if wanted(v)]
    if not found:
        yield "None."
    for number, verdict in found:
        said = f" DeepSpeed: {theirs[number]}." if number in theirs else ""
        yield f"- {_where(verdict.mutation)}: {verdict.mutation.said}. {_codes(verdict)}.{said}"


def _all(verdicts: Sequence[Verdict], theirs: Mapping[int, str]) -> Iterator[str]:
    yield "| file | operator | change | cfgc | place | mended | DeepSpeed |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for number, verdict in enumerate(verdicts):
        mutation = verdict.mutation
        said = mutation.said.replace("|", "\\|")
        cells = (_codes(verdict), _mark(verdict.placed), _mark(verdict.mended), theirs.get(number, ""))
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
