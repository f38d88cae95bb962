"""The exact words of every refusal to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cfgc.diagnostics import Rejected
from cfgc.diagnostics.text import render_text
from cfgc.write.writer import write_bundle
from tests.golden_text import assert_golden
from tests.unit.write.bundles import bundle_of

EXPECTED = Path(__file__).parent / "expected"


def no_bundle(place: Path) -> Path:
    place.mkdir()
    (place / "thesis.tex").write_text("years of work")
    return place


def unlisted(place: Path) -> Path:
    write_bundle(bundle_of(PLAN_md="old"), place)
    for number in range(7):
        (place / f"notes-{number}.txt").write_text("mine")
    return place


def another_spec(place: Path) -> Path:
    write_bundle(bundle_of("specs/other.toml", PLAN_md="old"), place)
    return place


def below_a_file(place: Path) -> Path:
    place.write_text("a file")
    return place / "bundle"


def link(place: Path) -> Path:
    place.symlink_to(place.parent)
    return place


def around(place: Path) -> Path:
    (place / "deeper").mkdir(parents=True)
    return place


def inside(place: Path) -> Path:
    write_bundle(bundle_of(PLAN_md="old"), place)
    return place / "variant"


@pytest.mark.parametrize(
    ("code", "prepare"),
    [
        ("CFG701", no_bundle),
        ("CFG702", unlisted),
        ("CFG703", another_spec),
        ("CFG704", below_a_file),
        ("CFG705", link),
        ("CFG706", around),
        ("CFG707", inside),
    ],
)
def test_refusals_read_exactly_so(
    code: str,
    prepare: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    update_golden: bool,
) -> None:
    target = prepare(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "out" / "deeper" if code == "CFG706" else tmp_path)
    with pytest.raises(Rejected) as caught:
        write_bundle(bundle_of(PLAN_md="new"), target)
    assert [finding.code for finding in caught.value.diagnostics] == [code]
    text = render_text(caught.value.diagnostics).replace(str(tmp_path), "/project")
    assert_golden(text, EXPECTED / f"{code}.txt", update_golden)


@pytest.mark.parametrize("there", [True, False])
def test_the_bundle_of_a_spec_that_is_gone_is_to_be_removed_and_no_other(there: bool, tmp_path: Path) -> None:
    (tmp_path / "cfgc.toml").touch()
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / ("other.toml" if there else "renamed.toml")).touch()
    target = another_spec(tmp_path / "out" / "a b")
    with pytest.raises(Rejected) as caught:
        write_bundle(bundle_of("specs/renamed.toml", PLAN_md="new"), target)
    (finding,) = caught.value.diagnostics
    assert ("`specs/other.toml`, which is not there any more" in finding.notes[0]) is not there
    (road,) = finding.helps
    assert road.startswith("give one of the two another" if there else "remove the old bundle and build again")
    assert there or f"`rm -r '{target}'`" in road
