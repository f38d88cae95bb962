"""The page: what it is about, and its text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from cfgc import __version__
from cfgc.audit.report.memory_plot import PARTS
from cfgc.audit.report.sheet import Sheet
from cfgc.diagnostics.masking import masked_text
from cfgc.diagnostics.text import printable
from cfgc.resources import shipped_dir
from cfgc_runtime.values import KINDS

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Unreadable:
    """A bundle that says nothing that could be shown, and why."""

    name: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A report on ``place``; ``only_old`` names bundles that were compared with and are not there any more."""

    place: str
    sheets: tuple[Sheet, ...]
    unreadable: tuple[Unreadable, ...] = ()
    only_old: Sequence[str] = ()

    @property
    def is_tree(self) -> bool:
        """Whether there is a choice of what to look at."""
        return len(self.sheets) + len(self.unreadable) + len(self.only_old) > 1

    @property
    def compared(self) -> bool:
        """Whether any bundle was compared with another one."""
        return any(sheet.changes for sheet in self.sheets)

    @property
    def facts(self) -> list[str]:
        """The columns of the table of all bundles, without those in which nothing would stand."""
        return [name for name in (self.sheets[0].facts if self.sheets else ()) if self._says(name)]

    def _says(self, name: str) -> bool:
        return any(sheet.facts[name].text for sheet in self.sheets)

    @property
    def has_values(self) -> bool:
        """Whether there is anything to search."""
        return any(sheet.groups for sheet in self.sheets)


def page_html(page: Page) -> str:
    """The text of the page: the same for the same bundles, and nothing outside of it is needed to show it."""
    folder = shipped_dir("templates") / "report"
    css, js = (Markup((folder / name).read_text(encoding="utf-8")) for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_digest(css)}; script-src {_digest(js)}; base-uri 'none'; form-action 'none'"
    )
    template = _environment().get_template("report.html.j2")
    return template.render(
        page=page, css=css, js=js, policy=policy, kinds=KINDS, parts=tuple(PARTS), version=__version__
    )


def _digest(text: str) -> str:
    """What a content security policy allows this one inline text by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(shipped_dir("templates") / "report"),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.globals.clear()
    environment.filters["masked"] = masked_text
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(text: str) -> Markup:
    """A key or a path, which may go on in the next line after a dot, a slash or the like."""
    return Markup(re.sub(r"([./_:=-])", r"\1<wbr>", str(escape(printable(text)))))


def _shown(value: object) -> object:
    """Text without a character that a reader would not see; what is HTML already stays."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
