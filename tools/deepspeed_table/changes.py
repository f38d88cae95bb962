"""What changed from release to release, as the list in ``docs/deepspeed-releases.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from .storing import split

DOCUMENT = Path(__file__).parents[2] / "docs" / "deepspeed-releases.md"
BEGIN = "<!-- Written by `python -m tools.deepspeed_table changes`; a test keeps it so. -->\n"

Release = Mapping[str, Mapping[str, Any]]


def changed_text(table: Mapping[str, Any]) -> str:
    """The list: a heading for each release that changed something, newest first."""
    releases = split(table)
    parts = []
    for old, new in reversed(list(pairwise(table["releases"]))):
        lines = list(_lines(releases[old], releases[new], table["renamed"]))
        if lines:
            parts.append("\n".join([f"### {new}", "", *(f"- {line}" for line in lines)]))
    return "\n\n".join(parts) + "\n"


def document(text: str, table: Mapping[str, Any]) -> str:
    """The page with its list written anew."""
    return text[: text.index(BEGIN)] + BEGIN + "\n" + changed_text(table)


def _lines(old: Release, new: Release, renamed: Mapping[str, str]) -> Iterator[str]:
    before, after = old["keys"], new["keys"]
    for name in sorted({*before} & {*after}):
        yield from _changed(name, before[name], after[name])
    added = {name for name in after if name not in before and "refused" not in after[name]}
    removed = {name for name in before if name not in after}
    for one, other in renamed.items():
        if one in removed and other in added:
            yield f"renamed: `{one}` is `{other}`"
            added, removed = added - {other}, removed - {one}
    yield from _listed("new", added)
    yield from _listed("gone", {name for name in removed if not _below_refused(name, after)})
    for part in ("optimizers", "schedulers"):
        yield from _named(part, old[part], new[part])


def _changed(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if "refused" in after and "refused" not in before:
        instead = f"; write `{after['replaced_by']}`" if "replaced_by" in after else ""
        yield f"refused: `{name}` ({after['refused']}){instead}"
        return
    absent = object()
    if before.get("default", absent) != after.get("default", absent) and "refused" not in before:
        yield f"default: `{name}` is {_shown(after)}, was {_shown(before)}"
    if after.get("deprecated") and not before.get("deprecated"):
        yield f"deprecated: `{name}`"
    if bool(after.get("closed")) is not bool(before.get("closed")) and "alias_of" not in before:
        yield f"section: `{name}` {'refuses' if after.get('closed') else 'ignores'} unknown keys"
    if (new := _values(after)) != (old := _values(before)):
        yield f"values: `{name}` takes {new}, took {old}"


def _values(facts: Mapping[str, Any]) -> str:
    """What a key takes beside its type."""
    signs = {"minimum": "≥", "above": ">", "maximum": "≤", "below": "<"}
    parts = [f"{sign} {facts[bound]}" for bound, sign in signs.items() if bound in facts]
    if "choices" in facts:
        parts.append(", ".join(f"`{json.dumps(choice)}`" for choice in facts["choices"]))
    if "rejects" in facts:
        parts.append("no bool")
    return " and ".join(parts) or "any"


def _shown(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts["default"]) if "default" in facts else "not given"
    return f"`{text}`" if len(text) < 60 else "another list"


def _below_refused(name: str, after: Mapping[str, Any]) -> bool:
    parts = name.split(".")
    return any("refused" in after.get(".".join(parts[:end]), {}) for end in range(1, len(parts)))


def _listed(word: str, names: set[str]) -> Iterator[str]:
    """Keys by their outermost new table, with how many are in it."""
    tops = {name for name in names if name.rpartition(".")[0] not in names}
    for name in sorted(tops):
        below = sum(other.startswith(name + ".") for other in names)
        yield f"{word}: `{name}`" + (f" and {below} keys in it" if below else "")


def _named(part: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    word = part.removesuffix("s")
    for name in sorted({*before} | {*after}):
        if name not in after or name not in before:
            yield f"{word} {'gone' if name not in after else 'new'}: `{name}`"
            continue
        old, new = before[name]["parameters"], after[name]["parameters"]
        for parameter in sorted({*old} ^ {*new}):
            yield f"{word} `{name}`: `{parameter}` is {'gone' if parameter in old else 'new'}"
        for parameter in sorted({*old} & {*new}):
            if old[parameter] != new[parameter]:
                now, was = json.dumps(new[parameter]), json.dumps(old[parameter])
                yield f"{word} `{name}`: the default of `{parameter}` is `{now}`, was `{was}`"
