"""A ds_config written in a test, and what is said of it."""

from __future__ import annotations

from typing import Any

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.checking import check_ds_config
from cfgc.deepspeed.reading import config_of
from cfgc.deepspeed.releases import release
from cfgc.diagnostics import Diagnostic

VERSION = "0.19.8"


def case_of(tree: dict[str, Any], version: str = VERSION, world_size: int | None = None) -> Case:
    return Case(config_of(tree), release(version), world_size)


def said(text: str | bytes, version: str = VERSION, world_size: int | None = None) -> tuple[Diagnostic, ...]:
    data = text.encode() if isinstance(text, str) else text
    return check_ds_config("ds_config.json", data, release(version), world_size)


def codes(text: str | bytes, version: str = VERSION) -> list[str]:
    return [finding.code for finding in said(text, version)]


def errors(text: str | bytes, version: str = VERSION) -> list[str]:
    return [finding.code for finding in said(text, version) if finding.severity == "error"]


def marked(finding: Diagnostic) -> str:
    """The characters that the finding marks."""
    return finding.primary.span.text if finding.primary else ""
