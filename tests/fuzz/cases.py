"""One case: what is drawn, and what must hold of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.releases import known_releases, release
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.explain import known_codes
from cfgc.diagnostics.machine import render_github, render_json
from cfgc.diagnostics.text import render_text
from cfgc.fixing.apply import Kind, apply_edits
from cfgc.fixing.tree import CannotEditError
from cfgc.load.reader import MemoryReader
from cfgc.lower.lowering import lower_spec
from cfgc.pipeline import check_spec, compile_spec
from tests.fuzz.mutate import KEYS, VALUES, change_json, misspelt, mutated
from tests.fuzz.seeds import OVERRIDES, OWN, PROJECT, SHIPPED, ds_texts, spec_texts
from tests.fuzz.seeds_run import CODE
from tests.fuzz.toml_text import change_toml

EMITTED = 8
"""Of so many specs one is emitted, and one is compiled twice."""


@dataclass(frozen=True)
class SpecCase:
    """A project in memory and the overrides of one command."""

    files: Mapping[str, bytes]
    overrides: tuple[str, ...]
    emit: bool
    twice: bool


@dataclass(frozen=True)
class ConfigCase:
    """A ds_config, and for what it is judged."""

    data: bytes
    deepspeed: str
    world_size: int | None
    device: str
    twice: bool


def draw_spec(random: Random) -> SpecCase:
    """A project of which something is mutated: the spec mostly, or its base, cfgc.toml, own code or overrides."""
    text = random.choice(spec_texts())
    files = {
        "spec.toml": text.encode(),
        "own.toml": OWN.encode(),
        "cfgc.toml": PROJECT.encode(),
        "specs/env/own.toml": b"",
        "mine.py": CODE.encode(),
    }
    changed = random.choice(("spec.toml",) * 5 + ("own.toml", "cfgc.toml", "mine.py", ""))
    if changed:
        change = change_toml if changed.endswith(".toml") else lambda _, __: None
        files[changed] = mutated(random, files[changed].decode(), change)
    if random.randrange(2):
        del files["cfgc.toml"]
    overrides = tuple(_override(random) for _ in range(random.choice((0, 0, 1, 1, 2, 4))))
    return SpecCase(files, overrides, emit=random.randrange(EMITTED) == 0, twice=random.randrange(EMITTED) == 0)


def _override(random: Random) -> str:
    text = random.choice(OVERRIDES)
    choice = random.randrange(5)
    if choice == 0:
        return misspelt(random, text)
    if choice == 1:
        return text.partition("=")[0] + "=" + random.choice(VALUES)
    if choice == 2:
        key = f"{random.choice(KEYS)}.{random.choice(KEYS)}"
        return key + random.choice(("=", "*=", "+=", "/=")) + random.choice(VALUES)
    if choice == 3:
        return mutated(random, text, lambda _, __: None).decode(errors="surrogateescape")
    return text


def draw_config(random: Random) -> ConfigCase:
    """A mutated ds_config for some release."""
    return ConfigCase(
        data=mutated(random, random.choice(ds_texts()), change_json),
        deepspeed=random.choice(known_releases()),
        world_size=random.choice((None, None, 1, 2, 3, 8, 64)),
        device=random.choice(("", "cuda", "cpu")),
        twice=random.randrange(EMITTED) == 0,
    )


def judge_spec(case: SpecCase) -> str:
    """Compile ``case`` and see that the outcome is one that a user can work with; ``holds`` or ``rejected``."""
    outcome = _compiled(case)
    if case.twice:
        assert _compiled(case) == outcome, "the same input gives another outcome"
    return outcome[0]


def _compiled(case: SpecCase) -> tuple[str, str]:
    reader = MemoryReader(case.files, SHIPPED)
    try:
        if case.emit:
            bundle = compile_spec(reader, "spec.toml", case.overrides)
            return "holds", repr(sorted(bundle.files.items()))
        checked = check_spec(reader, "spec.toml", case.overrides)
        lower_spec(checked)
    except Rejected as rejected:
        findings = rejected.diagnostics
    else:
        return "holds", _shown(checked.warnings)
    assert any(finding.severity == "error" for finding in findings), "rejected without an error"
    return "rejected", _shown(findings)


def judge_config(case: ConfigCase) -> str:
    """Check ``case`` and see that its findings can be shown; ``holds`` or ``rejected``."""
    outcome = _checked(case)
    if case.twice:
        assert _checked(case) == outcome, "the same input gives another outcome"
    return outcome[0]


def _checked(case: ConfigCase) -> tuple[str, str]:
    found = check_ds_config("ds_config.json", case.data, release(case.deepspeed), case.world_size, case.device)
    bad = any(finding.severity == "error" for finding in found)
    return "rejected" if bad else "holds", _shown(found)


def _shown(findings: Sequence[Diagnostic]) -> str:
    """Every form of ``findings``, and what their fixes make of the text."""
    for finding in findings:
        assert finding.code in KNOWN, f"{finding.code} has no page"
        assert finding.message, f"{finding.code} says nothing"
    shown = [render_text(findings), render_json(findings), render_github(findings)]
    for text in shown:
        text.encode()
    return "".join(shown) + "".join(_fixed(finding) for finding in findings)


def _fixed(finding: Diagnostic) -> str:
    """The texts that the certain fixes make; an edit may be one that has no meaning for its text."""
    texts = ""
    for fix in finding.fixes:
        source = fix.edits[0].source if fix.edits else None
        if source and fix.certain and all(edit.source is source for edit in fix.edits):
            kind: Kind = "json" if source.logical.endswith(".json") else "toml"
            try:
                texts += apply_edits(source.text, fix.edits, kind)
            except CannotEditError:
                continue
    return texts


KNOWN = frozenset(known_codes())
