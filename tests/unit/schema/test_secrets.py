from __future__ import annotations

import pytest

from cfgc.diagnostics.text import render_text
from tests.unit.schema.samples import only, said

HEX40 = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OPENAI", "sk-" + "a1" * 12),
        ("HUB", "hf_" + "Ab" * 15),
        ("AWS", "AKIA" + "ABCD1234" * 2),
        ("GIT", "ghp_" + "a1B2" * 9),
        ("SLACK", "xoxb-" + "12345-" * 5),
        ("WANDB_API_KEY", HEX40),
        ("DB_PASSWORD", "Tr0ub4dor-and-3-horses"),
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(key: str, value: str) -> None:
    finding = only(said(f'[env.variables]\n{key} = "{value}"\n'))
    assert finding.code == "CFG315"
    assert value not in render_text([finding])
    assert "required" in finding.helps[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MODEL_SHA256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("COMMIT", HEX40),
        ("NCCL_SOCKET_IFNAME", "eth0"),
        ("PATH_TO_KEY", "/etc/keys/a"),
        ("API_KEY", "none"),
        ("TASK", "task-force-of-twenty-letters"),
    ],
)
def test_what_only_looks_a_little_like_one_is_fine(key: str, value: str) -> None:
    assert "CFG315" not in {d.code for d in said(f'[env.variables]\n{key} = "{value}"\n')}


def test_a_secret_anywhere_is_found() -> None:
    token = "hf_" + "Ab" * 15
    assert "CFG315" in {d.code for d in said(f'[experiment]\ntags = ["a", "{token}"]\n')}
    assert "CFG315" in {d.code for d in said(f'[deepspeed.raw]\nreason = "x"\nhub = {{ token = "{token}" }}\n')}
