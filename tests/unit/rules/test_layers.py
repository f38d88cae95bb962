"""What a base says against the overlay that it chooses."""

from __future__ import annotations

import pytest

from tests.unit.schema.samples import said

BASE = 'extends = "good.toml"\n[overlays]\nzero = "1"\n[launch]\ngpus_per_node = 2\n[deepspeed.zero]\nstage = STAGE\n'


def codes(stage: str, spec: str = "", overrides: tuple[str, ...] = ()) -> list[str]:
    files = {"base.toml": BASE.replace("STAGE", stage)}
    return [d.code for d in said(f'extends = "base.toml"\n{spec}', overrides, files)]


def test_a_value_of_the_base_that_its_own_overlay_replaces_is_a_warning() -> None:
    assert "CFG130" in codes("2")
    assert "CFG130" not in codes("1")


@pytest.mark.parametrize(
    "spec", ["[deepspeed.zero]\nstage = 2\n", '[overlays]\nzero = "1"\n', 'unset = ["overlays.zero"]\n']
)
def test_a_spec_that_decides_itself_is_not_warned(spec: str) -> None:
    assert "CFG130" not in codes("2", spec)


def test_nor_is_a_command_line_that_does() -> None:
    assert "CFG130" not in codes("2", overrides=("zero=3",)) + codes("2", overrides=("deepspeed.zero.stage=2",))


def test_it_can_be_waived() -> None:
    assert "CFG130" not in codes("2", '[checks.allow]\nCFG130 = "the base is built by itself too"\n')


def test_a_base_above_the_one_that_chose_is_warned_too() -> None:
    files = {
        "base.toml": BASE.replace("STAGE", "1"),
        "upper.toml": 'extends = "base.toml"\n[deepspeed.zero]\nstage = 2\n',
    }
    (found,) = [d for d in said('extends = "upper.toml"\n', (), files) if d.code == "CFG130"]
    assert found.primary
    assert str(found.primary.span) == "upper.toml:3:1"
