"""The first fixes of a spec's findings, applied, leave nothing of what the case shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.fixing.mend import Mended, Texts, mend
from cfgc.load.disk import DiskReader
from cfgc.load.raw import SHIPPED
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check, lower
from cfgc.resources import shipped_dir

HERE = Path(__file__).parent

WITHOUT = {
    "CFG101": "the file cannot be read",
    "CFG103": "the text is not UTF-8",
    "CFG104": "the text is not TOML, so that it has no keys to edit",
    "CFG105": "the text is not TOML either",
    "CFG106": "nobody means this",
    "CFG118": "which bases to merge, only the author knows",
    "CFG125": "a key of specs in cfgc.toml has to move to another file",
    "CFG126": "the project's file says it, and the author knows what",
    "CFG127": "the same",
    "CFG128": "nobody means this",
    "CFG129": "which spec is meant, only the author knows",
    "CFG481": "how a template goes on, only its author knows",
    "CFG472": "what a function of the author's own wants, only the author knows",
    "CFG475": "which script is meant, only the author knows",
    "CFG476": "an argument that is called otherwise is another one of the author's function",
    "CFG317": "there is no spec yet",
    "CFG668": "which stages are meant, only the author knows",
    "CFG651": "which values a sweep takes, only the author knows",
    "CFG652": "the same",
    "CFG653": "the same",
    "CFG655": "the same",
    "CFG656": "the same",
    "CFG657": "which of two parameters counts, only the author knows",
    "CFG658": "what the sweep was to do, only the author knows",
}
"""Codes that no edit of the files can put right, and why."""

CASES = sorted(
    path.name
    for path in HERE.iterdir()
    if (path / "spec.toml").exists() and not (path / "overrides.txt").exists() and path.name[:6] not in WITHOUT
)


def mended(case: Path, *, unsafe: bool) -> Mended:
    reader = DiskReader(case, shipped_dir("specs"))

    def findings(texts: Texts) -> tuple[Diagnostic, ...]:
        try:
            checked = check(MemoryReader(texts, reader), "spec.toml")
            lower(checked)
        except Rejected as rejected:
            return rejected.diagnostics
        return checked.warnings

    return mend(findings, {}, lambda name: not name.startswith(SHIPPED) and (case / name).is_file(), unsafe=unsafe)


@pytest.mark.parametrize("name", CASES)
def test_the_first_fixes_put_the_case_right(name: str) -> None:
    outcome = mended(HERE / name, unsafe=True)
    assert outcome.changes
    assert [finding.message for finding in outcome.findings if finding.code == name[:6]] == []


@pytest.mark.parametrize("name", CASES)
def test_what_is_certain_is_gone_once_it_is_applied(name: str) -> None:
    left = mended(HERE / name, unsafe=False).findings
    assert [finding.message for finding in left if any(fix.certain for fix in finding.fixes)] == []
