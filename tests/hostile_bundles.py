"""Which texts arrived where in a bundle, read back as Python, JSON, TOML and a real bash read them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO
from shlex import quote
from tarfile import TarFile
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cfgc.emit.bundle import Bundle

Trail: TypeAlias = tuple[str, ...]
"""A file and the keys that lead to a text in it, without the numbers of a spec's own keys."""

Arrivals: TypeAlias = Mapping[Trail, frozenset[str]]

_RAW_WORD = re.compile(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\$'(?:[^'\\]|\\.)*'|\\.|[^\s'"\\()<>|&;])+""", re.DOTALL)
_LITERAL = re.compile(r"""(?:'[^']*'|"(?:[^"\\`$]|\$[A-Za-z_]+)*"|\$'(?:[^'\\]|\\.)*'|[\w@%+=:,./-])+""", re.ASCII)
"""What is quoted, or needs no quotes, or expands nothing but a variable."""

_HEREDOC = re.compile(r"<<'(\w+)'.*?\n.*?\n\1$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(?m)^[ \t]*#.*$| # .*$")
_DIRECTIVE = re.compile(r"(?m)^#SBATCH (.*)$")


def arrivals(bundles: Sequence[Bundle], wanted: Container[str] | None = None) -> list[Arrivals]:
    """All texts in the ``wanted`` files of each bundle, of those that are data or scripts of its own."""
    scripts = [data.decode() for bundle in bundles for path, data in bundle.files.items() if _is_script(path.name)]
    meaning = _in_bash(dict.fromkeys(scripts))
    return [_of_bundle(bundle, meaning, wanted) for bundle in bundles]


def _of_bundle(bundle: Bundle, meaning: Mapping[str, str], wanted: Container[str] | None) -> Arrivals:
    found: dict[Trail, set[str]] = {}
    for path, data in bundle.files.items():
        name = re.sub(r"^stages/[^/]*", "stages/*", str(path))
        if not name.startswith("runtime/") and (wanted is None or name in wanted):
            for trail, text in _texts(name, data, meaning):
                found.setdefault((name, *trail), set()).add(text)
    return {trail: frozenset(texts) for trail, texts in found.items()}


def _is_script(name: str) -> bool:
    return name.endswith((".sh", ".sbatch"))


def _texts(name: str, data: bytes, meaning: Mapping[str, str]) -> Iterator[tuple[Trail, str]]:
    if _is_script(name):
        yield from ((("#SBATCH",), directive) for directive in _DIRECTIVE.findall(data.decode()))
        yield from ((("word",), meaning[word]) for word in _words(data.decode()))
    elif name.endswith("config.py"):
        module: dict[str, Any] = {"__name__": "config"}
        exec(data.decode(), module)
        yield from _walk({key: value for key, value in module.items() if key.isupper()}, ())
    elif name.endswith(".py"):
        yield from _of_calls(data.decode())
    elif name.endswith(".json"):
        yield from _walk(json.loads(data), ())
    elif name.endswith(".jsonl"):
        yield from _walk([json.loads(line) for line in data.splitlines()], ())
    elif name.endswith(".toml"):
        yield from _walk(tomllib.loads(data.decode()), ())
    elif name.endswith(".tar"):
        with TarFile(fileobj=BytesIO(data)) as archive:
            yield from ((("name",), member) for member in archive.getnames())
    elif not name.endswith(".md"):
        yield (), data.decode()


def _walk(value: object, trail: Trail) -> Iterator[tuple[Trail, str]]:
    if isinstance(value, str) and value.startswith("{") and trail[-1:] == ("config",):
        yield from _walk(json.loads(value), trail)
    elif isinstance(value, str) and trail[-2:] == ("overrides", "[]"):
        yield from _walk(tomllib.loads(value), trail)
    elif isinstance(value, str):
        yield trail, value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _walk(inner, (*trail, "[]"))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*trail, "key"), key
            yield from _walk(inner, (*trail, re.sub(r"\d+", "#", key)))
    elif hasattr(value, "__dict__") and not callable(value):
        yield from _walk(dict(vars(value)), trail)


def _of_calls(module: str) -> Iterator[tuple[Trail, str]]:
    """Texts, and names of arguments, in what wiring.py calls."""
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.keyword) and node.arg:
            yield ("key",), node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield ("text",), node.value


@cache
def _words(script: str) -> tuple[str, ...]:
    """The words that a value can be in, as they are written."""
    code = _COMMENT.sub("", _HEREDOC.sub("", script))
    return tuple(sorted({word for word in _RAW_WORD.findall(code) if _LITERAL.fullmatch(word)}))


def _in_bash(scripts: Iterable[str]) -> Mapping[str, str]:
    """What a real bash, which takes each of ``scripts`` for one, makes of their words."""
    words = list(dict.fromkeys(word for script in scripts for word in _words(script)))
    parsed = "".join(f"eval {quote(f'_() {{{chr(10)}{script}{chr(10)}}}')} || exit\n" for script in scripts)
    said = "".join(f"printf '%s\\0' {word}\n" for word in words)
    with NamedTemporaryFile("w", encoding="utf-8", newline="") as program:
        program.write(f"{parsed}PWD=/pwd HOME=/home bundle=/bundle\n{said}")
        program.flush()
        done = subprocess.run(["bash", "--norc", "-f", program.name], env={}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    meant = done.stdout.decode().split("\0")[:-1]
    assert len(meant) == len(words), (done.stderr, meant)
    return dict(zip(words, meant, strict=True))
