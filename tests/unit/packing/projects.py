"""Projects in a directory, with or without git, and what a build makes of them."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from cfgc.diagnostics import Rejected
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir

SPEC = """
[overlays]
hardware = "cpu"

[experiment]
name = "packed"

[task]
target = "mine.main:run"

[package]
kind = "files"
"""
FILES = {
    "cfgc.toml": "",
    "spec.toml": SPEC,
    "mine/__init__.py": "",
    "mine/main.py": "from mine.parts import answer\n\ndef run(): return answer() - 42\n",
    "mine/parts.py": "def answer(): return 42\n",
    "mine/words.txt": "no code\n",
}


def make(root: Path, **files: str | bytes) -> Path:
    """``FILES`` in ``root``, and more by path with ``__`` for ``/``."""
    for name, text in {**FILES, **{name.replace("__", "/"): data for name, data in files.items()}}.items():
        write(root / name, text)
    return root


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def git(root: Path, *arguments: str | Path) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgSign=false")
    done = subprocess.run(["git", "-C", root, *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, message: str = "a change") -> str:
    """Everything in ``root`` as a commit, and its name."""
    if not (root / ".git").exists():
        git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD")


def build(root: Path, *overrides: str, spec: str = "spec.toml") -> Bundle:
    return compile_spec(DiskReader(root, shipped_dir("specs")), spec, overrides)


def refusal(root: Path, *overrides: str) -> dict[str, Any]:
    """The only finding: its code, and all that it says as one text."""
    try:
        build(root, *overrides)
    except Rejected as rejected:
        (found,) = rejected.diagnostics
        return {"code": found.code, "said": "\n".join((found.message, *found.notes, *found.helps))}
    raise AssertionError("nothing was refused")


def packed(bundle: Bundle) -> dict[str, bytes]:
    """The files of package.tar."""
    with tarfile.open(fileobj=io.BytesIO(bundle.files[PurePosixPath("package.tar")])) as tar:
        found = ((member.name, tar.extractfile(member)) for member in tar)
        return {name: data.read() for name, data in found if data}


def manifest(bundle: Bundle) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bundle.files[PurePosixPath("manifest.json")])
    return content


def text(bundle: Bundle, name: str) -> str:
    return bundle.files[PurePosixPath(name)].decode()
