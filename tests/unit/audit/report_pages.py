"""Pages of ``cfgc report``, read as a browser takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_in_memory
from cfgc.audit.report.page import Page, page_html
from cfgc.audit.report.sheet import State, sheets_of
from cfgc.cli import run
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle

SHIPPED = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
VOID = {"meta", "input", "br", "wbr"}
SPEC = """
extends = "cfgc:examples/quickstart.toml"
[experiment]
name = "a"
"""


class Read(HTMLParser):
    """The page as a browser takes it: tags and attributes, and the text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and tag not in {"path", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"path", "rect"}:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def of(self, tag: str, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for name, attrs in self.tags if name == tag and attribute in attrs]


@cache
def compiled(*overrides: str, spec: str = SPEC) -> BundleOnDisk:
    reader = MemoryReader({"a.toml": spec, "cfgc.toml": ""}, SHIPPED)
    return bundle_in_memory(compile_spec(reader, "a.toml", overrides), "a")


def page_of(bundle: BundleOnDisk) -> Read:
    return Read(page_html(Page("a", tuple(sheets_of(bundle, "b1", State(True, "as compiled"), None)))))


def build(directory: Path, spec: str = SPEC, *overrides: str) -> Path:
    reader = MemoryReader({"a.toml": spec, "cfgc.toml": ""}, SHIPPED)
    write_bundle(compile_spec(reader, "a.toml", overrides), directory)
    return directory


def tree_in(out: Path) -> Path:
    build(out / "of" / "one", SPEC, "training.max_steps=480")
    build(out / "of" / "two", SPEC, "zero=1")
    return out


def report(*arguments: str | Path) -> int:
    return run(["report", *map(str, arguments)])


def section(page: Read, start: str) -> str:
    """The text from ``start`` to the values."""
    return page.text.partition(start)[2].partition("Values, and how")[0]


def cells(html: str, bundle: str) -> dict[str, str]:
    """What the table of all bundles says of ``bundle``, by column."""
    table = html.partition('<table class="plain cards sortable">')[2].partition("</table>")[0]
    heads, *rows = (re.findall(r"<t[hd].*?</t[hd]>", row) for row in table.split("<tr>")[1:])
    texts = [[re.sub("<[^>]*>", "", cell) for cell in row] for row in (heads, *rows)]
    (found,) = (row for row in texts if row[0] == bundle)
    return dict(zip(texts[0], found, strict=True))
