"""Shell completion: specs, keys, overlay groups and their options, choices, and codes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from click import Context, Parameter
from click.shell_completion import CompletionItem

from cfgc.load.raw import SHIPPED

if TYPE_CHECKING:
    from cfgc.load.library import Library

_BREAKS = ("=", ":")
"""Characters that bash splits words at, each a word of its own then."""


def complete_spec(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, and the shipped examples after ``cfgc:``; overrides too where several specs may stand."""
    word = _whole(incomplete)
    if word.startswith(SHIPPED):
        return _shipped(word, incomplete)
    if parameter.nargs == -1 and any(mark in word for mark in "=~."):
        overrides = complete_override(context, parameter, incomplete)
        if overrides:
            return overrides
    return [CompletionItem(incomplete, type="file")]


def complete_build(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """A spec first, then overrides, or with ``--check`` more places."""
    if not context.params.get(parameter.name or ""):
        return complete_spec(context, parameter, incomplete)
    return complete_override(context, parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def complete_file(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Files."""
    del context, parameter
    return [CompletionItem(incomplete, type="file")]


def complete_override(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Keys of the schema and overlay groups; after ``=`` the options of a group or the choices of a key."""
    del context, parameter
    word = _whole(incomplete)
    if word.startswith(SHIPPED):  # bash has cut it in three, and the first part counts as the spec
        return _shipped(word, incomplete)
    left, equals, _ = word.partition("=")
    if equals:
        return _items((f"{left}={value}" for value in _values(left)), word, incomplete)
    removal = "~" if word.startswith("~") else ""
    return _items((f"{removal}{name}" for name in _names(with_value=not removal)), word, incomplete)


def complete_key(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Keys of the schema, to be explained."""
    del context, parameter
    from cfgc.schema.catalogue import catalogue

    return _items((field.dotted for field in catalogue()), _whole(incomplete), incomplete)


def complete_explain(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes, and specs."""
    from cfgc.diagnostics.explain import known_codes

    codes = _items(known_codes(), incomplete.upper(), incomplete) if incomplete else []
    return codes or complete_spec(context, parameter, incomplete)


def _shipped(word: str, incomplete: str) -> list[CompletionItem]:
    return _items((f"{SHIPPED}examples/{name}.toml" for name in _library().options("examples")), word, incomplete)


def _names(with_value: bool) -> Iterator[str]:
    from cfgc.schema.catalogue import catalogue

    sign = "=" if with_value else ""
    yield from (f"{group}{sign}" for group in _library().groups())
    yield from (f"{field.dotted}{sign}" for field in catalogue())


def _values(left: str) -> Iterator[str]:
    """What may stand after ``left=``."""
    from cfgc.schema.catalogue import schema_fields

    if "." not in left:
        yield from _library().options(left)
        return
    field = schema_fields().get(tuple(left.split(".")))
    annotation = field.info.annotation if field else None
    if annotation is bool:
        yield from ("true", "false")
    elif get_origin(annotation) is Literal:
        yield from (str(choice) for choice in get_args(annotation))


def _whole(incomplete: str) -> str:
    """The word under the cursor. bash cuts it at ``=`` and ``:``, so what stands before is put back."""
    if os.environ.get("_CFGC_COMPLETE") != "bash_complete":
        return incomplete
    joined = os.environ.get("COMP_WORDS", "")
    words = joined.split("\n" if "\n" in joined else " ")[: int(os.environ.get("COMP_CWORD") or 0) + 1]
    word = words.pop() if words else ""
    while words and (words[-1] in _BREAKS or word[:1] in _BREAKS):
        word = words.pop() + word
    return word


def _items(found: Iterable[str], word: str, incomplete: str) -> list[CompletionItem]:
    """Completions of ``word``, each without the part that the shell has cut off already."""
    cut = len(word) if incomplete in _BREAKS else len(word) - len(incomplete)
    return [CompletionItem(text[cut:]) for text in dict.fromkeys(found) if text.startswith(word)]


def _library() -> Library:
    """The library of the project around the current directory."""
    from cfgc.diagnostics import Rejected
    from cfgc.load.library import Library
    from cfgc.load.project import read_project
    from cfgc.session import open_spec

    reader = open_spec("spec.toml").reader
    try:
        return Library(reader, read_project(reader).search)
    except Rejected:
        return Library(reader)
