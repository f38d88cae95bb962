"""Prints, as JSON, the digest of everything that cfgc says of the specs of this checkout.

Run by each interpreter, in an environment with the compiler's dependencies only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cfgc.audit.forms import in_form
from cfgc.cli.schemas import config_schema, spec_schema
from cfgc.diagnostics import Rejected
from cfgc.diagnostics.machine import render_json
from cfgc.diagnostics.text import render_text
from cfgc.load.disk import DiskReader
from cfgc.pipeline import check, compile_spec
from cfgc.resources import shipped_dir


def bundles(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle of every example and golden."""
    specs = (*repository.glob("specs/examples/*.toml"), *repository.glob("tests/golden/*/spec.toml"))
    for spec in sorted(specs):
        root = repository if spec.parent.name == "examples" else spec.parent
        bundle = compile_spec(DiskReader(root, shipped_dir("specs")), spec.relative_to(root).as_posix())
        name = f"{spec.parent.name}/{spec.stem}"
        yield f"{name}: as JSON", in_form(bundle.files, "json").encode()
        yield from ((f"{name}/{path}", data) for path, data in bundle.files.items())
        yield f"{name}: executable", repr(sorted(map(str, bundle.executable))).encode()


def findings(repository: Path) -> Iterator[tuple[str, bytes]]:
    """What is said of every spec that shows a finding, as text and as JSON."""
    for case in sorted(repository.glob("tests/diagnostics/*/spec.toml")):
        words = case.with_name("overrides.txt")
        overrides = words.read_text(encoding="utf-8").splitlines() if words.exists() else []
        try:
            found = check(DiskReader(case.parent, shipped_dir("specs")), case.name, overrides).warnings
        except Rejected as rejected:
            found = rejected.diagnostics
        yield case.parent.name, (render_text(found) + render_json(found)).encode()


def schemas() -> Iterator[tuple[str, bytes]]:
    """What editors read."""
    yield "schema of specs", spec_schema().encode()
    yield from (
        (f"schema for DeepSpeed {version}", config_schema(version).encode()) for version in ("0.16.0", "0.19.8")
    )


def everything(repository: Path) -> Iterator[tuple[str, bytes]]:
    """Names, and the bytes that must not depend on who asks."""
    yield from bundles(repository)
    yield from findings(repository)
    yield from schemas()


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[2]
    json.dump({name: hashlib.sha256(data).hexdigest() for name, data in everything(here)}, sys.stdout)
