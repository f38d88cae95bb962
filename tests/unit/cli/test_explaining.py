"""What ``cfgc explain`` says of a key, in this process."""

from __future__ import annotations

from pathlib import Path

from cfgc.cli.explaining import explained
from cfgc.cli.session import open_spec

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
    return explained(open_spec(str(work / "spec.toml"), overrides), key)


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef01234567"
    variables = f'[env.variables]\nWANDB_API_KEY = "{secret}"\nDB = "postgres://user:hunter2pass@host/db"\n'
    for key in ("env.variables", "env.variables.WANDB_API_KEY", "env.variables.DB"):
        shown = explain(tmp_path, variables, key)
        assert "•••" in shown
        assert secret not in shown
        assert "hunter2pass" not in shown
