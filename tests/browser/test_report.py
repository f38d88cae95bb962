"""The page of ``cfgc report`` in a browser: found, sorted, read without a script, with a keyboard alone, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfgc.cli import run
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.write.writer import write_bundle
from tests.hostile import as_toml, readable_strings
from tests.unit.audit.test_tampering import new_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.slow

SHIPPED = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SPECS = {
    "plain": 'extends = "cfgc:examples/quickstart.toml"\n[experiment]\nname = "plain"\n',
    "sharded": 'extends = "cfgc:examples/16xh100-zero3.toml"\n[experiment]\nname = "sharded"\n',
    "hostile": 'extends = "cfgc:examples/quickstart.toml"\n[experiment]\nname = "hostile"\ndescription = '
    "'<img src=x onerror=alert(1)>'\n[env.variables]\n"
    + "".join(f"V{number} = {as_toml(text)}\n" for number, text in enumerate(readable_strings()))
    + "X = '</code><script>alert(1)</script>'\n",
}
SWEEP = (
    'extends = "cfgc:examples/8xa100-zero2.toml"\n[experiment]\nname = "sweep"\n[sweep]\nmethod = "grid"\n'
    '[sweep.parameters]\n"training.learning_rate" = [1e-3, 2e-3, 3e-3]\nzero = ["1", "2"]\n'
)
SHOWN = "rows => rows.filter(row => row.getClientRects().length).map(row => row.querySelector('code').textContent)"
BROKEN = """[...document.querySelectorAll('thead th')].flatMap(th => {
    const node = th.firstChild, found = [];
    if (!th.getClientRects().length || node?.nodeType !== Node.TEXT_NODE) return found;
    for (const word of node.data.matchAll(/\\S+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const edge = th.getBoundingClientRect().right;
        if (range.getClientRects().length > 1 || range.getBoundingClientRect().right > edge) found.push(word[0]);
    }
    return found;
})"""
"""Words of visible table headings that go on in the next line, or beyond their column."""

Opened = Callable[..., "Page"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, key: Path) -> dict[str, Path]:
    """Of the tree, of a bundle compared with another one, and of a sweep beside a long name; two are signed."""
    folder = tmp_path_factory.mktemp("report")
    tree, one, sweeps = folder / "tree", folder / "one.html", folder / "sweeps"
    for name, text in SPECS.items():
        built(text, tree / name)
    built(SPECS["plain"], sweeps / "a-directory" / "with_a_rather_long_name" / "of-a-bundle")
    built(SWEEP, sweeps / "sweep")
    for bundle in (tree / "plain", sweeps / "sweep"):
        assert run(["sign", str(bundle), "--key", str(key)]) == 0
    assert run(["report", str(sweeps), "-o", str(folder / "sweeps.html")]) == 0
    assert run(["report", str(tree), "-o", str(folder / "tree.html")]) == 0
    assert run(["report", str(tree / "plain"), "--against", str(tree / "sharded"), "-o", str(one)]) == 0
    return {"tree": folder / "tree.html", "one": one, "sweeps": folder / "sweeps.html"}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_key(tmp_path_factory.mktemp("key") / "key")


def built(text: str, directory: Path) -> None:
    reader = MemoryReader({"a.toml": text, "cfgc.toml": ""}, SHIPPED)
    write_bundle(compile_spec(reader, "a.toml", ()), directory)


@pytest.fixture
def opened(chromium: Browser, pages: dict[str, Path]) -> Iterator[Opened]:
    """Opens a page, which must ask for nothing else, run nothing of a bundle, and break no policy of its own."""
    heard: list[str] = []
    contexts = []

    def dismiss(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    def opened(name: str, viewport: Any = WIDE, **options: Any) -> Page:
        context = chromium.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        url = pages[name].as_uri()
        page.on("request", lambda request: heard.append(request.url) if request.url != url else None)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("dialog", dismiss)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert heard == []


def shown(page: Page) -> list[str]:
    """Keys of the values that can be seen."""
    found: list[str] = page.eval_on_selector_all("tr.v", SHOWN)
    return found


def open_bundle(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_the_origin_of_every_value_is_two_clicks_away(opened: Opened) -> None:
    page = opened("tree")
    assert shown(page) == []
    for name in SPECS:
        open_bundle(page, name)
        touched = shown(page)
        assert "training.max_steps" in touched
        page.get_by_label("defaults too").check()
        every = shown(page)
        sheet = page.locator(".sheet", has=page.get_by_role("heading", name=name, level=2))
        assert len(every) == sheet.locator("tr.v").count() > len(touched) > 20
        assert sheet.locator("tr.v:not(:has(td.stays))").count() == 0
        page.get_by_label("defaults too").uncheck()
        page.locator(".sheet:visible").get_by_role("link", name="All bundles").click()


def test_search(opened: Opened) -> None:
    page = opened("tree")
    page.keyboard.press("/")
    page.keyboard.type("zero=3")
    page.get_by_text("2 values", exact=True).wait_for()
    assert shown(page) == ["deepspeed.zero.overlap_comm", "deepspeed.zero.stage"]
    assert page.locator("h2:visible").all_inner_texts() == ["sharded as compiled"]
    page.keyboard.press("Escape")
    assert shown(page) == []
    open_bundle(page, "plain")
    page.get_by_role("searchbox").fill("MAX_eval DEFAULT")
    page.get_by_text("1 value", exact=True).wait_for()
    assert shown(page) == ["data.max_eval_samples"]
    assert page.locator("h3:visible").count() == 0
    page.locator(".sheet:visible").get_by_role("link", name="All bundles").click()
    page.get_by_text("3 values", exact=True).wait_for()
    assert shown(page) == ["data.max_eval_samples"] * 3
    page.get_by_role("searchbox").fill("no such thing")
    page.get_by_text("0 values", exact=True).wait_for()
    assert shown(page) == []


def test_classes_can_be_left_out(opened: Opened) -> None:
    page = opened("one")
    before = shown(page)
    assert {"training.max_steps", "experiment.name"} <= set(before)
    page.get_by_label("numerics").uncheck()
    assert "training.max_steps" not in shown(page)
    assert "experiment.name" in shown(page)
    page.get_by_label("numerics").check()
    assert shown(page) == before


def test_a_change_leads_to_its_value_though_its_class_is_left_out(opened: Opened) -> None:
    page = opened("one", reduced_motion="reduce")
    page.get_by_label("logistics").uncheck()
    for key in ("experiment.name", "experiment.description"):
        page.get_by_role("link", name=key, exact=True).click()
        row = page.locator("tr:target")
        assert row.locator("summary").inner_text() == key
        page.wait_for_function("document.querySelector('tr:target').getBoundingClientRect().height > 0")
        box, header = row.bounding_box(), page.locator("header").bounding_box()
        assert box
        assert header
        assert header["height"] - 1 <= box["y"] < WIDE["height"] - box["height"]
    assert "experiment.name" not in shown(page)
    page.get_by_label("logistics").check()
    assert {"experiment.name", "experiment.description"} <= set(shown(page))


def test_the_table_can_be_sorted(opened: Opened) -> None:
    page = opened("tree")
    heading = page.get_by_role("columnheader", name="steps")
    steps = "cells => cells.map(cell => Number(cell.dataset.sort))"
    for direction, wanted in (("ascending", [1000, 1000, 100_000]), ("descending", [100_000, 1000, 1000])):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == direction
        assert page.eval_on_selector_all("#bundles td:nth-child(4)", steps) == wanted


def test_it_can_be_read_without_a_script(opened: Opened) -> None:
    page = opened("tree", java_script_enabled=False)
    open_bundle(page, "sharded")
    row = page.locator("tr.v:visible", has_text="training.warmup_steps")
    assert "${training.max_steps // 50}" in row.inner_text()
    hidden = page.locator("tr.v:visible").count()
    page.get_by_label("defaults too").check()
    assert page.locator("tr.v:visible").count() > hidden
    assert page.get_by_role("img", name="Learning rate").locator("visible=true").count() == 1


def test_it_can_be_used_without_a_mouse(opened: Opened) -> None:
    page = opened("tree")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "plain":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert "training.max_steps" in shown(page)
    assert page.locator("tr.v details[open]:visible").count() == 0
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('tr.v summary')"):
            break
    page.keyboard.press("Enter")
    assert page.locator("tr.v details[open]:visible").count() == 1


def test_a_change_leads_to_its_value(opened: Opened) -> None:
    page = opened("one")
    page.get_by_role("link", name="training.learning_rate", exact=True).click()
    row = page.locator("tr:target")
    assert row.locator("summary").inner_text() == "training.learning_rate"
    header = page.locator("header").bounding_box()
    box = row.bounding_box()
    assert header
    assert box
    assert box["y"] >= header["height"] - 1


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["desktop", "phone"])
def test_the_table_of_all_bundles_fits(opened: Opened, viewport: dict[str, int]) -> None:
    for name in ("tree", "sweeps"):
        page = opened(name, viewport=viewport)
        wide = page.get_by_role("region", name="Table of all bundles")
        assert wide.evaluate("one => one.scrollWidth - one.clientWidth") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        open_bundle(page, "plain" if name == "tree" else "sweep")
        assert "as compiled, signed" in page.locator("h2:visible").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_no_word_of_a_heading_is_broken(opened: Opened) -> None:
    page = opened("sweeps")
    open_bundle(page, "sweep")
    broken = page.evaluate(BROKEN)
    assert broken == []
    assert page.get_by_role("columnheader", name="computed", exact=True).is_visible()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_screen(opened: Opened, viewport: dict[str, int]) -> None:
    for name, bundle in {"tree": "hostile", "one": "", "sweeps": "sweep"}.items():
        page = opened(name, viewport=viewport)
        if bundle:
            open_bundle(page, bundle)
        page.get_by_label("defaults too").check()
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_it_goes_with_the_light_of_the_reader(opened: Opened) -> None:
    for scheme, dark in (("light", False), ("dark", True)):
        page = opened("tree", color_scheme=scheme, reduced_motion="reduce")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (sum(colour) < 200) is dark
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
        assert violations(page, {"runOnly": ["color-contrast"]} if dark else {}, "#bundles") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_bundle_is_accessible(opened: Opened, scheme: str) -> None:
    page = opened("one", color_scheme=scheme)
    assert violations(page, {"runOnly": ["color-contrast"]} if scheme == "dark" else {}) == []


def violations(page: Page, options: dict[str, Any], within: str | None = None) -> list[tuple[str, str]]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=within, options=options).response["violations"]
    return [(one["id"], node["html"]) for one in found for node in one["nodes"]]


def test_all_of_it_is_printed(opened: Opened) -> None:
    page = opened("tree")
    page.emulate_media(media="print")
    assert page.locator(".sheet:visible").count() == len(SPECS)
