"""A help says where its assignment goes: on the line shown, under a table, or on the command line."""

from __future__ import annotations

import pytest

from tests.unit.schema.samples import found
from tests.unit.validate.test_beyond import GOOD


def helps(code: str, text: str, *overrides: str) -> tuple[str, ...]:
    return next(finding.helps for finding in found(text, *overrides) if finding.code == code)


def test_the_line_that_is_shown_needs_no_table() -> None:
    text = GOOD.replace("warmup_steps = 10", "warmup_steps = 2000")
    assert helps("CFG420", text) == ("set `warmup_steps = 20` under `[training]` (2 % of the steps), or train longer",)
    text = GOOD.replace('name = "x"\n[launch]', 'name = "x"\n[cluster]\ngres = "gpu:8"\n[launch]')
    assert helps("CFG608", text) == ('set `gres = "gpu"`',)


@pytest.mark.parametrize(
    ("code", "section", "table"),
    [("CFG434", "evaluation", "evaluation"), ("CFG435", "checkpoint", "checkpoint")],
)
def test_a_key_of_several_tables_says_which(code: str, section: str, table: str) -> None:
    text = GOOD + f"[{section}]\nevery_steps = 5000\n"
    assert f"under `[{table}]`" in helps(code, text)[0]
    assert "`every_steps = 100`" in helps(code, text)[0]


def test_a_value_of_the_command_line_is_changed_there() -> None:
    said = helps("CFG420", GOOD, "training.warmup_steps=2000")
    assert said == ("set `training.warmup_steps=20` on the command line (2 % of the steps), or train longer",)
    assert found(GOOD, "training.warmup_steps=20") == ()


def test_an_override_that_a_shell_would_split_is_quoted() -> None:
    said = helps("CFG429", GOOD, "training.optimizer.betas=[2, 3]")
    assert said == ("set `'training.optimizer.betas=[0.9, 0.95]'` on the command line",)


def test_a_value_of_a_base_is_changed_in_the_spec() -> None:
    text = GOOD.replace("learning_rate = 3e-4", "learning_rate = 1e-6")
    assert helps("CFG421", text) == (
        "set `final_learning_rate = 1e-07` under `[training.scheduler]` (a tenth of the peak)",
    )


@pytest.mark.parametrize(
    ("overrides", "write"),
    [
        ("training.batch_size=8", "write `training.micro_batch_size=8` on the command line"),
        ("training.weight_decay=0.1", "write `training.optimizer.weight_decay=0.1` on the command line"),
        ("training.hidden_dropout=0.1", "write `model.hidden_dropout=0.1` on the command line"),
        ("training.precision=fp8", "write `'training.precision=\"bf16\"'` on the command line"),
    ],
)
def test_a_key_that_is_called_otherwise_is_overridden_under_its_name(overrides: str, write: str) -> None:
    assert found(GOOD, overrides)[0].helps == (write,)
