"""``cfgc show``: the resolved spec in one of several forms."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import click

from cfgc.cli.session import Session
from cfgc.pipeline import compile_spec


def shown(session: Session, output_format: str) -> str:
    """The resolved spec as text, a newline at the end. Raises ``Rejected``."""
    bundle = compile_spec(session.reader, session.logical, session.overrides)
    if output_format == "python":
        return bundle.files[PurePosixPath("config.py")].decode()
    toml = bundle.files[PurePosixPath("resolved.toml")].decode()
    if output_format == "toml":
        return toml
    import tomllib

    tree = tomllib.loads(toml)
    if output_format == "json":
        return json.dumps(tree, indent=2, ensure_ascii=False, default=str) + "\n"
    return _yaml(tree)


def _yaml(tree: dict[str, object]) -> str:
    try:
        import yaml
    except ImportError as error:
        raise click.ClickException("YAML needs the extra `yaml`: pip install 'cfgc[yaml]'") from error
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
