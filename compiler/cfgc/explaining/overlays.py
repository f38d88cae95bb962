"""Overlays: what can be chosen, and what a spec chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cfgc.diagnostics import Rejected
from cfgc.diagnostics.text import printable
from cfgc.explaining.text import columns_of
from cfgc.load.library import Library
from cfgc.load.listing import Option, listed
from cfgc.load.loader import load_spec
from cfgc.load.project import read_project
from cfgc.load.raw import SHIPPED
from cfgc.nearest import nearest
from cfgc.session import Session, is_override, open_spec


class UnknownGroupError(Exception):
    """A word that names no group."""


def overlays_text(words: Sequence[str], output_format: str) -> str:
    """What can be chosen of the groups among ``words``, and what the spec among them chooses, as text or JSON.

    Raises ``Rejected``, ``UnknownGroupError``.
    """
    spec = next((word for word in words if is_spec(word)), "")
    overrides = tuple(word for word in words if is_override(word))
    groups = tuple(word for word in words if word != spec and word not in overrides)
    session = open_spec(spec or "spec.toml", overrides)
    chosen = _chosen(session) if spec else {}
    library = Library(session.reader, read_project(session.reader).search)
    known = library.groups()
    for group in groups:
        if group not in known:
            close = nearest(group, known)
            hint = f", did you mean `{close}`" if close else ""
            raise UnknownGroupError(f"there is no overlay group `{group}`{hint}; groups: {', '.join(known)}")
    options = listed(library, chosen, groups)
    if output_format == "json":
        return json.dumps([_object(session, option) for option in options], indent=2, ensure_ascii=False) + "\n"
    return _text(session, options)


def is_spec(word: str) -> bool:
    """Whether ``word`` names a spec rather than a group of overlays."""
    return not is_override(word) and (word.endswith(".toml") or word.startswith(SHIPPED) or "/" in word)


def _chosen(session: Session) -> Mapping[str, str]:
    graph = load_spec(session.reader, session.logical, session.overrides)
    if graph.findings:
        raise Rejected(session.from_here(graph.findings))
    return graph.overlays


def _object(session: Session, option: Option) -> dict[str, object]:
    return {
        "group": option.group,
        "option": option.name,
        "description": option.description,
        "file": session.shown(option.file),
        "over": [session.shown(file) for file in option.over],
        "chosen": option.chosen,
    }


def _text(session: Session, options: Sequence[Option]) -> str:
    """Groups as headings; a star before what the spec chooses. The columns are those of all groups together."""
    rows = columns_of([_row(session, option) for option in options])
    lines: list[str] = []
    for number, (option, row) in enumerate(zip(options, rows, strict=True)):
        if number == 0 or option.group != options[number - 1].group:
            lines += [*([""] if lines else []), option.group]
        lines.append(f"{'*' if option.chosen else ' '} {row.removeprefix('  ')}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _row(session: Session, option: Option) -> tuple[str, str, str]:
    over = f" (over {', '.join(session.shown(file) for file in option.over)})" if option.over else ""
    return option.name, session.shown(option.file) + over, option.description
