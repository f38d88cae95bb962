"""cfgc report: what the page holds, whatever the bundles do."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from cfgc.audit.bundle_on_disk import BundleOnDisk, bundle_at, read_bundle
from cfgc.audit.report.layers import COMPUTED, columns_of, groups_of
from cfgc.audit.report.memory_plot import memory_plot
from cfgc.audit.report.planned import guarded, planned
from cfgc.audit.report.schedule_plot import schedule_plot
from cfgc.cli import run
from cfgc.diagnostics.text import printable
from tests.hostile import as_toml, readable_strings
from tests.unit.audit.report_pages import SPEC, Read, build, cells, compiled, page_of, report, tree_in
from tests.unit.audit.test_tampering import STAGES, new_key


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree_in(tmp_path_factory.mktemp("tree"))


def test_every_value_stands_there_with_what_each_layer_said_of_it() -> None:
    bundle = compiled("training.learning_rate=0.01")
    rows = {row.key: row for group in groups_of(bundle, "b1") for row in group.rows}
    assert {key: json.loads(row.value.more or row.value.short) for key, row in rows.items()} == {
        key: value for kind in ("numerics", "resources", "logistics") for key, value in bundle.values[kind].items()
    }
    rate = rows["training.learning_rate"]
    said = {key: (cell.text.short, cell.stays) for key, cell in rate.cells.items()}
    assert said == {
        "default": ("0.0003", False),
        "base cfgc:bases/tiny.toml": ("0.001", False),
        "base cfgc:examples/quickstart.toml": ("0.003", False),
        "command line": ("0.01", True),
    }
    assert rows["model.num_kv_heads"].cells[COMPUTED].text.short == "model.num_heads"
    text = page_of(bundle).text
    assert all(key in text for key in rows)
    assert "Peak learning rate, after warm-up.Class numerics: Every rate is a multiple of it." in text
    assert all(row.doc and row.why for row in rows.values())


@pytest.mark.parametrize("overrides", [(), ("zero=3", "training.max_steps=10"), ("model.num_heads=2",)])
def test_columns_are_in_the_order_in_which_layers_replace_each_other(overrides: tuple[str, ...]) -> None:
    bundle = compiled(*overrides)
    order = [column.key for column in columns_of(bundle)]
    for key, steps in bundle.origins.items():
        places = [order.index(COMPUTED if "derived" in step else step["layer"]) for step in steps]
        assert places == sorted(places, reverse=True), (key, steps)


def test_the_page_asks_nothing_of_the_network_and_is_well_formed() -> None:
    page = page_of(compiled())
    assert not page.open
    assert not page.of("img", "src")
    assert not page.of("script", "src")
    assert not page.of("link", "href")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = page.of("a", "href")
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    (policy,) = (attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv"))
    assert "default-src 'none'" in str(policy)
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.tags for name in attrs)


def test_hostile_strings_are_text() -> None:
    texts = readable_strings()
    lines = "".join(f"V{number} = {as_toml(text)}\n" for number, text in enumerate(texts))
    tags = ", ".join(map(as_toml, texts[:60]))
    named = '["<script>alert(1)</script>", "</style><b>", "<!--", "&lt;", "javascript:x", "](http://a.b)"]'
    spec = (
        f"{SPEC}description = '<img src=x onerror=alert(1)> <b>bold</b> [x](javascript:1) <http://a.b>'\n"
        f"tags = [{tags}]\n[env.variables]\n{lines}[evaluation]\n[[data.sources]]\nname = '<script>x</script>'\n"
        f"path = '<b>'\ninclude = {named}\n"
    )
    page, plain = page_of(compiled(spec=spec)), page_of(compiled())
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags} | {"details", "summary"}
    assert len(page.of("a", "href")) == len(plain.of("a", "href"))
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    for text in texts:
        assert printable(json.dumps(text, ensure_ascii=False))[:119] in page.text, text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert not any(not letter.isprintable() and letter != "\n" for letter in page.text)


def test_secrets_are_dots() -> None:
    secret = "hf_" + "a1B2" * 8
    bundle = compiled()
    origins = {**bundle.origins, "experiment.description": [{"layer": "spec a.toml", "value": f"use {secret}"}]}
    values = {**bundle.values, "logistics": {**bundle.values["logistics"], "experiment.description": f"use {secret}"}}
    files = {
        **bundle.files,
        PurePosixPath("origins.json"): json.dumps(origins, default=list).encode(),
        PurePosixPath("values.json"): json.dumps(values).encode(),
    }
    text = page_of(read_bundle(files, "a")).text
    assert secret not in text
    assert '"use •••' in text


def test_what_config_py_does_is_not_done(tmp_path: Path) -> None:
    bundle = compiled()
    mark = tmp_path / "ran"
    evil = f"open({str(mark)!r}, 'w')\nEVIL: int = __import__('os').system('touch {mark}')\n".encode()
    source = bundle.files[PurePosixPath("config.py")]
    forged = read_bundle({**bundle.files, PurePosixPath("config.py"): source + evil}, "a")
    assert planned(forged) is None or not mark.exists()
    page_of(forged)
    assert not mark.exists()


DRAWN = (
    *("max_steps", "warmup_steps", "learning_rate", "final_learning_rate", "decay_steps", "step_size", "milestones"),
    *("scheduler", "decay", "power", "parameters", "world_size", "device_memory", "tensor_parallel", "type"),
)
"""What the pictures are made from."""


def _forgeries(source: str) -> Iterator[str]:
    yield from ("", "(" * 5_000, "\0", "x: int = " + "[" * 300, "é".join(source.split("=")), source[: len(source) // 2])
    for line in DRAWN:
        for wrong in ("None", "'x'", "-1", "0", "1e999", "10**9", "10000000000000000000000", "()"):
            yield re.sub(rf"^    {line}=\S+,$", f"    {line}={wrong},", source, count=1, flags=re.M)
        yield re.sub(rf"^    {line}=\S+,\n", "", source, count=1, flags=re.M)


def test_a_forged_config_py_draws_nothing_and_breaks_nothing() -> None:
    bundle = compiled()
    source = bundle.files[PurePosixPath("config.py")].decode()
    count = 0
    for forged in _forgeries(source):
        plan = planned(BundleOnDisk("a", {PurePosixPath("config.py"): forged.encode()}, bundle.manifest))
        if plan:
            guarded(lambda plan=plan: schedule_plot(plan))  # type: ignore[misc]
            guarded(lambda plan=plan: memory_plot(plan, bundle.values))  # type: ignore[misc]
        count += 1
    assert count > 100


def test_the_drawn_rate_is_that_of_the_plan() -> None:
    bundle = compiled("training.max_steps=1000", "training.warmup_steps=100", "training.learning_rate=0.01")
    plan = planned(bundle)
    assert plan
    plot = schedule_plot(plan)
    assert plot
    points = [tuple(map(float, point.split())) for point in plot.curves[0].path[1:].split(" L")]
    x, y = min(points, key=lambda point: point[1])
    assert y == plot.top
    assert x == pytest.approx(plot.left + (plot.right - plot.left) * 0.1, abs=0.1)
    assert [tick.label for tick in plot.steps][-1] == "1,000"
    assert plot.rates[-1].label == "0.01"


def test_the_drawn_memory_is_that_of_the_plan() -> None:
    for bundle in (compiled(), compiled("zero=3"), compiled("zero=0", "training.precision=fp32")):
        plan = planned(bundle)
        assert plan
        plot = memory_plot(plan, bundle.values)
        assert plot
        (chosen,) = (bar for bar in plot.bars if bar.chosen)
        assert re.search(rf"\| {re.escape(chosen.text)} \|", bundle.files[PurePosixPath("PLAN.md")].decode())


def test_a_tree_is_a_table_and_all_bundles(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "page.html"
    assert report(tree, "-o", out) == 0
    assert "2 bundles" in capsys.readouterr().err
    page = Read(out.read_text())
    assert {"#b1", "#b2"} <= set(page.of("a", "href"))
    assert "of/one" in page.text
    moved = tmp_path / tree.name
    shutil.copytree(tree, moved)
    assert report(moved, "-o", tmp_path / "again.html") == 0
    assert (tmp_path / "again.html").read_bytes() == out.read_bytes()
    assert str(tmp_path) not in out.read_text()


def test_which_key_signed_it_stands_beside_the_digests(tmp_path: Path) -> None:
    bundle = build(tmp_path / "tree" / "a", SPEC + STAGES)
    assert run(["sign", str(bundle), "--key", str(new_key(tmp_path / "key"))]) == 0
    page = tmp_path / "page.html"
    assert report(tmp_path / "tree", "-o", page) == 0
    read = Read(page.read_text())
    assert len(re.findall(r"(?<!pipeline )signed withED25519 key SHA256:\S", read.text)) == 1
    assert len(re.findall(r"pipeline signed withED25519 key SHA256:\S", read.text)) == 2
    assert cells(page.read_text(), "a/stages/two")["files"] == "as compiled, signed"
    assert "--signers" not in read.text


def test_the_table_counts_every_point_and_every_attempt(tmp_path: Path) -> None:
    rates = "'training.learning_rate' = [1e-3, 2e-3, 3e-3]"
    texts = {"one": "", "many": f"[sweep]\nmethod = 'grid'\n[sweep.parameters]\n{rates}\nzero = ['1', '2']\n"}
    for name, more in texts.items():
        build(tmp_path / name, f"extends = 'cfgc:examples/8xa100-zero2.toml'\n{more}")
    page = tmp_path / "page.html"
    assert report(tmp_path, "-o", page) == 0
    one, sweep = (cells(page.read_text(), name) for name in texts)
    plan = (tmp_path / "one" / "PLAN.md").read_text()
    assert f"at most 5 = {one['rank-hours at most']} GPU-hours" in plan
    assert (one["points"], one["rank-hours at most"], one["peak rate"]) == ("", "960", "3e-05")
    assert (sweep["points"], sweep["rank-hours at most"], sweep["peak rate"]) == ("6", "5,760", "0.001 – 0.003")
    assert sweep["steps"] == one["steps"]
    read = Read(page.read_text())
    assert "A sweep of 6 points." in read.text
    assert sum("open" in attrs for tag, attrs in read.tags if tag == "details") == 3


def test_an_edited_bundle_is_shown_with_a_warning(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Path(shutil.copytree(tree, tmp_path / "mine"))
    (mine / "of" / "one" / "ds_config.json").write_text("{}\n")
    (mine / "of" / "two" / "values.json").write_text("no JSON")
    page = tmp_path / "page.html"
    assert report(mine, "-o", page) == 65
    said = capsys.readouterr().err
    assert said.count("error[CFG735]") == 2
    text = Read(page.read_text()).text
    assert "ds_config.json" in text
    assert "not as compiled" in text
    assert "of/two cannot be shown" in text
    page.unlink()
    assert report(mine / "of" / "two", "-o", page) == 65
    assert not page.exists()


def test_the_page_does_not_get_into_a_bundle(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree / "of" / "one")
    assert report(".") == 1
    assert "CFG707" in capsys.readouterr().err
    assert bundle_at(Path()).edited() == []
    assert not Path("report.html").exists()


def test_a_place_without_bundles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(tmp_path, "-o", tmp_path / "page.html") == 64
    assert "CFG740" in capsys.readouterr().err
    assert report(tmp_path / "none", "-o", tmp_path / "page.html") == 64
    assert not list(tmp_path.iterdir())
