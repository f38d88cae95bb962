"""What ``cfgc explain`` says of a key, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfgc.explaining.key import explained, suggestions
from cfgc.session import open_spec

SPEC = """
extends = "cfgc:bases/tiny.toml"
[overlays]
hardware = "cpu"
[experiment]
name = "mine"
[[data.sources]]
name = "texts"
path = "texts"
"""


def explain(work: Path, more: str, key: str, *overrides: str) -> str:
    (work / "spec.toml").write_text(SPEC + more)
    said = explained(open_spec(str(work / "spec.toml"), overrides), key)
    assert said is not None
    return said


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef01234567"
    variables = f'[env.variables]\nWANDB_API_KEY = "{secret}"\nDB = "postgres://user:hunter2pass@host/db"\n'
    for key in ("env.variables", "env.variables.WANDB_API_KEY", "env.variables.DB"):
        shown = explain(tmp_path, variables, key)
        assert "•••" in shown
        assert secret not in shown
        assert "hunter2pass" not in shown


def test_what_was_unset_stays_in_the_history(tmp_path: Path) -> None:
    shown = explain(tmp_path, "[training]\nlearning_rate = 2e-3\n", "training.learning_rate", "~training.learning_rate")
    rows = [line.split() for line in shown.splitlines() if line.startswith("  ")][1:]
    assert [row[:2] for row in rows] == [
        ["numerics:", "Every"],
        ["0.0003", "default"],
        ["unset", "command"],
        ["0.002", "spec"],
        ["0.001", "base"],
        ["0.0003", "default"],
    ]


def test_a_key_that_was_unset_and_has_no_default_shows_what_it_was(tmp_path: Path) -> None:
    shown = explain(tmp_path, "", "training.max_steps", "~training.max_steps")
    assert "training.max_steps = nothing" in shown
    assert "unset  command line  command line:1:2\n  1000   base " in shown
    again = explain(tmp_path, "", "training.max_steps", "~training.max_steps", "training.max_steps=7")
    assert [line.split()[0] for line in again.splitlines() if line.startswith("  ")][2:] == ["7", "unset", "1000"]


def test_a_derived_key_that_was_unset_shows_both(tmp_path: Path) -> None:
    overrides = ("~training.micro_batch_size", "training.gradient_accumulation_steps=4")
    shown = explain(tmp_path, "", "training.micro_batch_size", *overrides)
    assert "16  derived: 64 / (4 × 1)" in shown
    assert "unset  command line" in shown


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("trainng", ["training"]),
        ("training.optimzer", ["training.optimizer"]),
        ("trainng.max_steps", ["training.max_steps"]),
        ("training.max_step", ["training.max_steps"]),
        ("lr", ["training.learning_rate"]),
    ],
)
def test_a_mistyped_key_or_section_is_the_first_that_is_named(key: str, meant: list[str]) -> None:
    said = suggestions(key).splitlines()
    assert said[0] == f"there is no key `{key}`"
    assert [line.split("`")[1] for line in said[1:2]] == meant
    assert "tracking" not in "".join(said)
