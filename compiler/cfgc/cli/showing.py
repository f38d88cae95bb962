"""``cfgc show``: the resolved spec in one of several forms; of a pipeline, that of each stage."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath

import click

from cfgc.cli.session import Session
from cfgc.pipeline import compile_spec
from cfgc.stages.layer import FOLDER

_FILES = {"python": "config.py"}
_RESOLVED = "resolved.toml"


def shown(session: Session, output_format: str) -> str:
    """The resolved spec as text, a newline at the end. Raises ``Rejected``."""
    files = compile_spec(session.reader, session.logical, session.overrides).files
    name = _FILES.get(output_format, _RESOLVED)
    stages = {path.parts[1]: data.decode() for path, data in files.items() if _is_of_a_stage(path, name)}
    if output_format in ("python", "toml"):
        texts = [f"# stage {stage}\n\n{text}" for stage, text in stages.items()]
        return "\n".join(texts) or files[PurePosixPath(name)].decode()
    trees: dict[str, object] = {stage: tomllib.loads(text) for stage, text in stages.items()}
    tree = {FOLDER: trees} if trees else tomllib.loads(files[PurePosixPath(name)].decode())
    if output_format == "json":
        return json.dumps(tree, indent=2, ensure_ascii=False, default=str) + "\n"
    return _yaml(tree)


def _is_of_a_stage(path: PurePosixPath, name: str) -> bool:
    return path.parts[:1] == (FOLDER,) and path.parts[2:] == (name,)


def _yaml(tree: Mapping[str, object]) -> str:
    try:
        import yaml
    except ImportError as error:
        raise click.ClickException("YAML needs the extra `yaml`: pip install 'cfgc[yaml]'") from error
    return str(yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True))
