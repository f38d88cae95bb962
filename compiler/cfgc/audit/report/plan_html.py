"""PLAN.md as HTML: its head, and each of its sections to be unfolded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from cfgc.audit.bundle_on_disk import BundleOnDisk
from cfgc.diagnostics.text import printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_PLAN: Final = PurePosixPath("PLAN.md")
_OPEN: Final = {"What is unusual", "Points"}


@dataclass(frozen=True)
class Section:
    """A section below the head; ``is_open`` where everybody should read it."""

    title: str
    html: Markup
    is_open: bool


@dataclass(frozen=True)
class PlanPage:
    """``title`` is the first heading as plain text, ``head`` what stands before the first section."""

    title: str
    head: Markup
    sections: tuple[Section, ...]


def plan_page(bundle: BundleOnDisk) -> PlanPage:
    """PLAN.md of ``bundle``; nothing of it is taken for HTML. Empty where there is none."""
    text = bundle.files.get(_PLAN, b"").decode(errors="replace")
    tokens = _markdown().parse("\n".join(map(printable, text.split("\n"))))
    starts = [at for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    first = next((at for at, token in enumerate(tokens) if token.type == "heading_open"), None)
    is_title = first is not None and tokens[first].tag == "h1"
    title = _plain(tokens[first + 1]) if first is not None and is_title else ""
    head = tokens[(first or 0) + 3 if is_title else 0 : starts[0] if starts else len(tokens)]
    ends = [*starts[1:], len(tokens)]
    sections = [_section(tokens[start:end]) for start, end in zip(starts, ends, strict=bool(starts))]
    return PlanPage(title, _html(head), tuple(sections))


def _section(tokens: Sequence[Token]) -> Section:
    title = _plain(tokens[1])
    return Section(title, _html(tokens[3:]), title in _OPEN)


def _plain(heading: Token) -> str:
    return "".join(child.content for child in heading.children or ())


def _html(tokens: Sequence[Token]) -> Markup:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h5"
        if token.type == "table_open":
            token.attrSet("class", "plain")
    markdown = _markdown()
    return Markup(markdown.renderer.render(list(tokens), markdown.options, {}))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink", "reference"])
