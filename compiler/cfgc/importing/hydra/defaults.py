"""The ``defaults`` list of a config: its entries, each with where the config lies and where its keys go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cfgc.deepspeed.config import Entry, Json
from cfgc.diagnostics import Rejected
from cfgc.importing import errors
from cfgc.importing.branches import Branch
from cfgc.source import Span

SELF = "_self_"
_HEADER = re.compile(r"^\s*#\s*@package\s+(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Default:
    """One entry: an option of a group, a config by its path (``group`` empty), or ``_self_``.

    ``package`` None means that of the config's own header, or of its group.
    """

    group: str
    option: str
    span: Span
    package: str | None = None
    optional: bool = False
    override: bool = False

    @property
    def is_self(self) -> bool:
        """Whether the config itself is meant."""
        return not self.group and self.option == SELF


def header_package(text: str) -> str | None:
    """What ``# @package`` at the head of a file says."""
    head = "\n".join(line for line in text.splitlines()[:20] if line.lstrip().startswith("#"))
    found = _HEADER.search(head)
    return found.group(1) if found else None


def defaults_of(root: Branch) -> tuple[Default, ...]:
    """The entries of the list, with ``_self_`` last unless it is placed. Raises ``Rejected`` for a malformed list."""
    entry = root.get("defaults")
    if entry is None:
        return (Default("", SELF, Span(_source(root), 0, 0)),)
    if not isinstance(entry, Entry) or not isinstance(entry.value, list) or entry.span is None:
        raise Rejected([errors.no_defaults_list(_span(entry))])
    found = [default for item in entry.value for default in _read(item, entry.span)]
    if sum(default.is_self for default in found) > 1:
        raise Rejected([errors.bad_default(entry.span, "`_self_` stands in the list twice")])
    if not any(default.is_self for default in found):
        found.append(Default("", SELF, entry.span))
    return tuple(found)


def _read(item: Json, span: Span) -> Iterator[Default]:
    if isinstance(item, str):
        path, _, package = item.partition("@")
        yield Default("", path, span, package or None)
        return
    if not isinstance(item, dict) or len(item) != 1:
        raise Rejected([errors.bad_default(span, "an entry is a config's name, or one `group: option`")])
    (key, options), *_ = item.items()
    words = key.split()
    group, _, package = words[-1].partition("@") if words else ("", "", "")
    flags = set(words[:-1])
    if not group or flags - {"optional", "override"}:
        raise Rejected([errors.bad_default(span, f"`{key}` names no group")])
    for option in options if isinstance(options, list) else [options]:
        if option is None:
            continue
        if not isinstance(option, str | int):
            raise Rejected([errors.bad_default(span, f"`{key}` chooses no option by its name")])
        yield Default(group, str(option), span, package or None, "optional" in flags, "override" in flags)


def _source(root: Branch) -> Json:
    return _span(root).source


def _span(node: Branch | Entry) -> Span:
    """The place of a node: its own, or that of the first value in it."""
    while not isinstance(node, Entry):
        node = next(iter(node.values()))
    assert node.span is not None, "a file's values have places"
    return node.span
