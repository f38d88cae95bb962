"""A spec that holds, to change one thing of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.pipeline import check_spec
from cfgc.resources import shipped_dir
from cfgc.validate.checker import Checked

GOOD = """
[experiment]
name = "good"

[model]
hidden_size = 64
num_layers = 2
num_heads = 4

[training]
max_steps = 20
global_batch_size = 64
micro_batch_size = 8

[data]
sequence_length = 32

[[data.sources]]
name = "library"
path = { stdlib = true, path = "." }

[checkpoint]
every_steps = 10
"""


def checked(spec: str = "", overrides: Sequence[str] = (), files: Mapping[str, str] | None = None) -> Checked:
    """``spec`` over the good one, through every check."""
    return _checked(_files(spec, files), overrides)


def said(spec: str, overrides: Sequence[str] = (), files: Mapping[str, str] | None = None) -> tuple[Diagnostic, ...]:
    """What is said of a spec: its errors, or else its warnings."""
    return _said(_files(spec, files), overrides)


def found(text: str, *overrides: str) -> tuple[Diagnostic, ...]:
    """The same of ``text`` as it stands."""
    return _said({"spec.toml": text}, overrides)


def _files(spec: str, files: Mapping[str, str] | None) -> dict[str, str]:
    text = spec if spec.startswith("extends") else f'extends = "good.toml"\n{spec}'
    return {"good.toml": GOOD, "spec.toml": text, **(files or {})}


def _said(files: Mapping[str, str], overrides: Sequence[str]) -> tuple[Diagnostic, ...]:
    try:
        return _checked(files, overrides).warnings
    except Rejected as rejected:
        return rejected.diagnostics


def _checked(files: Mapping[str, str], overrides: Sequence[str]) -> Checked:
    return check_spec(MemoryReader(files, DiskReader(Path(), shipped_dir("specs"))), "spec.toml", overrides)


def only(findings: Sequence[Diagnostic]) -> Diagnostic:
    """The one finding."""
    assert len(findings) == 1, [f"{d.code} {d.message}" for d in findings]
    return findings[0]
