"""Only a warning that exists can be waived, and only with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cfgc.validate.rules.waivers import OF_RAW_KEYS, OF_RULES
from tests.unit.schema.samples import found
from tests.unit.validate.test_beyond import GOOD


@pytest.mark.parametrize(
    ("waiver", "code", "said"),
    [
        ('CFG434 = ""', "CFG310", "`checks.allow.CFG434` wants some text"),
        ('CFG434 = "  "', "CFG310", "`checks.allow.CFG434` wants some text"),
        ('CFG401 = "x"', "CFG449", "`CFG401` is an error, and errors cannot be waived"),
        ('CFG301 = "x"', "CFG449", "`CFG301` is an error, and errors cannot be waived"),
        ('cfg434 = "x"', "CFG448", "there is no code `cfg434` to waive"),
        ('smoke = "x"', "CFG448", "there is no code `smoke` to waive"),
    ],
)
def test_a_waiver_that_cannot_act_is_refused(waiver: str, code: str, said: str) -> None:
    (finding,) = found(f"{GOOD}[checks.allow]\n{waiver}\n")
    assert (finding.code, finding.message, finding.severity) == (code, said, "error")


def test_a_code_in_small_letters_is_offered_in_capitals() -> None:
    (finding,) = found(f'{GOOD}[checks.allow]\ncfg434 = "x"\n')
    assert finding.helps == ("write `CFG434`",)


@pytest.mark.covers("checks.allow")
def test_a_waiver_with_a_reason_acts() -> None:
    late = GOOD.replace("max_steps = 1000", "max_steps = 100") + "[evaluation]\nevery_steps = 500\n"
    assert "CFG434" in {finding.code for finding in found(late)}
    assert "CFG434" not in {finding.code for finding in found(f'{late}[checks.allow]\nCFG434 = "a smoke test"\n')}


def warned_below(folder: Path) -> set[str]:
    """The codes of warnings that the sources write: by ``warning(…)``, or with their severity."""
    texts = [path.read_text() for path in folder.rglob("*.py")]
    called = {code for text in texts for code in re.findall(r"warning\(\s*\"(CFG\d{3})\"", text)}
    built = r'"(CFG\d{3})"(?:(?!CFG\d)[\s\S]){0,700}?severity="warning"'
    return called | {code for text in texts for code in re.findall(built, text)}


def test_the_warnings_are_those_of_the_rules(repository: Path) -> None:
    assert warned_below(repository / "compiler" / "cfgc" / "validate") - OF_RAW_KEYS == OF_RULES


def test_what_is_waived_of_raw_keys_is_a_warning_about_a_ds_config(repository: Path) -> None:
    assert warned_below(repository / "compiler" / "cfgc" / "deepspeed") >= OF_RAW_KEYS
    assert OF_RAW_KEYS.isdisjoint(OF_RULES)
