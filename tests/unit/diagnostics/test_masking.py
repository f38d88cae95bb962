"""No secret reaches a terminal, a log or an annotation."""

from __future__ import annotations

import pytest

from cfgc.diagnostics import Diagnostic
from cfgc.diagnostics.machine import render_github, render_json
from cfgc.diagnostics.masking import masked_text, secret_kind
from cfgc.diagnostics.text import render_text
from tests.unit.schema.samples import found

KEY = "0123456789abcdef0123456789abcdef01234567"
GOOD = """
extends = "cfgc:bases/tiny.toml"
[overlays]
hardware = "cpu"
[experiment]
name = "x"
[[data.sources]]
name = "x"
path = "/data"
"""


def printed(findings: tuple[Diagnostic, ...]) -> str:
    return render_text(findings) + render_json(findings) + render_github(findings)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (f'[env]\nvariables = {{ WANDB_API_KEY = "{KEY}", A = 1 }}', "CFG305"),
        (f'[env.variables]\nWANDB_API_KEY = "{KEY}" B', "CFG104"),
        (f"[env.variables]\nWANDB_API_KEY = {KEY}", "CFG104"),
        (f"[env.variables]\nWANDB_API_KEY: {KEY}", "CFG104"),
        (f'[env.variables]\nWANDB_API_KEY = "{KEY}', "CFG104"),
        (f'[env.variables]\nWANDB_API_KEY = ["{KEY}"]', "CFG305"),
        (f'[env.variables]\nWANDB_API_KEY = """a\n{KEY}"""', "CFG311"),
        (f'[env.variables]\nA = "x"\n[tracking]\nwandb_api_key = "{KEY}"', "CFG301"),
    ],
)
def test_other_findings_of_the_line_do_not_print_it(more: str, code: str) -> None:
    findings = found(GOOD + more)
    assert code in {d.code for d in findings}
    assert KEY not in printed(findings)
    assert "•" in render_text(findings)


def test_an_unknown_key_with_a_secret_is_both_mistakes() -> None:
    findings = found(GOOD.replace('name = "x"', f'name = "x"\nwandb_api_key = "{KEY}"', 1))
    assert {d.code for d in findings} == {"CFG301", "CFG315"}
    assert KEY not in printed(findings)


def test_an_override_is_masked_too() -> None:
    findings = found(GOOD, f"env.variables.WANDB_API_KEY={KEY}", "env.variables.PASSWORD=12345678")
    assert KEY not in printed(findings)
    assert "12345678" not in printed(findings)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("PASSWORD", "hunter2", "hunter2"),
        ("DB_PASSWD", "hunter2", "hunter2"),
        ("PGPASSWORD", "hunter2", "hunter2"),
        ("MY_SECRET", "hunter2", "hunter2"),
        ("TOKEN", "hunter2", "hunter2"),
        ("HF_TOKEN", "hunter2", "hunter2"),
        ("COMET_API_KEY", "hunter2", "hunter2"),
        ("CREDENTIALS", "hunter2", "hunter2"),
        ("DB", "postgres://user:hunter2pass@host/db", "hunter2pass"),
    ],
)
def test_a_variable_with_a_password_is_refused_by_its_own_name(name: str, value: str, secret: str) -> None:
    findings = found(f'{GOOD}[env.variables]\n{name} = "{value}"')
    assert [d.code for d in findings] == ["CFG315"]
    assert f'required = ["{name}"]' in findings[0].helps[0]
    assert secret not in printed(findings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODEL_SHA256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("MAX_TOKENS", "512"),
        ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/secrets/aws"),
        ("MIRROR", "https://host:8080/a@b"),
        ("SSH", "ssh://git@host/x"),
        ("PASSWORD", ""),
    ],
)
def test_harmless_values_pass(name: str, value: str) -> None:
    assert found(f'{GOOD}[env.variables]\n{name} = "{value}"') == ()


def test_masking_keeps_columns_and_lines() -> None:
    text = f'A = 1\nAPI_KEY = """\n{KEY}"""  # x\nnum_experts_per_token = 2\n'
    hidden = masked_text(text)
    assert len(hidden) == len(text)
    assert hidden.splitlines() == ["A = 1", 'API_KEY = """', "•" * 40 + '"""  # x', "num_experts_per_token = 2"]


def test_a_key_pair_in_a_url_is_a_password_only_with_one() -> None:
    assert secret_kind("DB", "postgres://user@host/db") is None
    assert secret_kind("DB", "postgres://user:pw@host/db") is not None


def test_what_a_tokenizer_calls_a_token_is_no_secret() -> None:
    named = '[data.tokenizer]\nkind = "tokenizers"\npath = "tokenizer.json"\nend_token = "<|end_of_text|>"'
    assert not [finding for finding in found(f"{GOOD}{named}") if finding.code == "CFG315"]
    assert secret_kind("pad_token", "<pad>") is None
    assert secret_kind("end_token", f"hf_{KEY}") is not None
    assert secret_kind("access_token", "<pad>") is not None


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("export WANDB_API_KEY=$(cat key)", "export WANDB_API_KEY=$(cat key)"),
        ('export HF_TOKEN=$(cat "$HOME/.token")', 'export HF_TOKEN=$(cat "$HOME/.token")'),
        ("HF_TOKEN=$(< ~/.token) srun a", "HF_TOKEN=$(< ~/.token) srun a"),
        ("API_KEY=${KEY}", "API_KEY=${KEY}"),
        ("api_key: ${oc.env:KEY}", "api_key: ${oc.env:KEY}"),
        ("API_KEY=$(echo hunter2 | rev) srun a", f"API_KEY={'•' * 21} srun a"),
        ("API_KEY=$(cat $(dirname a)/key) srun a", f"API_KEY={'•' * 23} srun a"),
        ("API_KEY=${KEY:-hunter2}", f"API_KEY={'•' * 15}"),
        ("API_KEY=$(cat key)hunter2", f"API_KEY={'•' * 17}"),
        ("PASSWORD=$ecret", f"PASSWORD={'•' * 6}"),
    ],
)
def test_an_expression_is_shown_or_hidden_as_a_whole(line: str, shown: str) -> None:
    assert masked_text(line) == shown


@pytest.mark.parametrize("part", ["$(", "${", "$(a", "$()", "$(()", "$(a(b)"])
def test_expressions_without_an_end_cost_their_length(part: str) -> None:
    text = f"TOKEN={part * 50_000}"
    assert len(masked_text(text)) == len(text)
