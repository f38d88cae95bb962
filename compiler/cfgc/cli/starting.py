"""``cfgc init``: a project that builds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from cfgc.cli.schemas import spec_schema
from cfgc.cli.writing import writing
from cfgc.load.raw import PROJECT_FILE
from cfgc.resources import shipped_dir
from cfgc.schema.spec import Spec

TEMPLATES = ("local", "node", "cluster")
"""What the first spec is for: any machine, one with GPUs, or Slurm."""
SCHEMA = PurePosixPath("cfgc.schema.json")
"""What editors complete and check specs by; each spec names it in its first line."""

LONGEST_NAME = 64
"""Characters of an experiment's name."""

_HIDDEN = {"gitignore": ".gitignore", "pre-commit-config.yaml": ".pre-commit-config.yaml"}


class ProjectThereError(Exception):
    """The directory is a project already."""


class NoDirectoryError(Exception):
    """Where the project is to be stands a file."""


def started(directory: Path, template: str, name: str, *, nested: bool = False) -> tuple[list[str], list[str]]:
    """Make a project of ``directory``; the files that were written, and those that were there and stay as they are.

    Raises ``NoDirectoryError``; ``ProjectThereError``, of a project above too unless it may be ``nested``; and OSError
    when a file can't be written.
    """
    if directory.exists() and not directory.is_dir():
        raise NoDirectoryError(f"{directory} is a file; name a directory")
    if os.path.lexists(directory / PROJECT_FILE):
        raise ProjectThereError(f"{directory / PROJECT_FILE} is there already: this is a project")
    above = next((up for up in directory.resolve().parents if (up / PROJECT_FILE).is_file()), None)
    if above and not nested:
        raise ProjectThereError(f"{above} is a project already; to make another one inside it, add --nested")
    written: list[str] = []
    kept: list[str] = []
    for path, text in project_files(template, name or name_of(directory)).items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with writing(target), target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            kept.append(str(path))
        else:
            written.append(str(path))
    return written, kept


def project_files(template: str, name: str) -> Mapping[PurePosixPath, str]:
    """The files of a new project, the one that makes it one last."""
    filled = {"@NAME@": name, "@DEEPSPEED@": Spec.model_fields["target"].default.deepspeed}
    files = dict(_templates(template, name))
    for mark, value in filled.items():
        files = {path: text.replace(mark, value) for path, text in files.items()}
    return files


def _templates(template: str, name: str) -> Iterator[tuple[PurePosixPath, str]]:
    folder = shipped_dir("templates") / "project"
    yield SCHEMA, spec_schema()
    specs = {f"specs/{name}.toml": f"specs/{template}.toml", "specs/cluster/site.toml": "specs/cluster/site.toml"}
    for path, source in specs.items():
        directive = f"#:schema {'../' * path.count('/')}{SCHEMA}\n"
        yield PurePosixPath(path), directive + (folder / source).read_text(encoding="utf-8")
    for path in ("README.md", "gitignore", "pre-commit-config.yaml", PROJECT_FILE):
        yield PurePosixPath(_HIDDEN.get(path, path)), (folder / path).read_text(encoding="utf-8")


def name_of(directory: Path) -> str:
    """A name for the first experiment, from the directory's own."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(os.path.abspath(directory)).name)  # noqa: PTH100 - links keep their names
    return plain.strip("-.")[:LONGEST_NAME].strip("-.") or "run"
