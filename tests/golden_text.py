"""Comparing a text with its committed expectation."""

from __future__ import annotations

from pathlib import Path


def assert_golden(actual: str, expected: Path, update: bool) -> None:
    """``actual`` equals the file ``expected``; with ``update`` the file is rewritten when it differs, and named."""
    if update and (not expected.exists() or expected.read_text(encoding="utf-8") != actual):
        expected.write_text(actual, encoding="utf-8")
        print(f"updated {expected}")
    assert expected.exists(), f"{expected} is missing; write it with pytest --update-golden and read it"
    assert actual == expected.read_text(encoding="utf-8")
