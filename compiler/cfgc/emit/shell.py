"""Shell templates: every value is quoted unless it says that it is shell already."""

from __future__ import annotations

import re
import shlex
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from cfgc.lower.plan import NodePath
from cfgc.resources import shipped_dir

_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./&|*\[\]()!-]+")


class Sh(str):
    """Shell text that goes into a script as it is."""

    __slots__ = ()


def word(text: str) -> Sh:
    """``text`` where quotes are no help (``#SBATCH`` lines, comments). Raises ValueError for more than a plain word."""
    if not _WORD.fullmatch(text):
        raise ValueError(f"not a plain word: {text!r}")
    return Sh(text)


def path_expression(path: NodePath) -> Sh:
    """One shell word that expands to the absolute path on the node. The script checks variables before it is used."""
    if path.base == "absolute":
        return Sh(quoted(path.path))
    if path.base == "stdlib":
        raise ValueError("the interpreter's own library is no place to write to")
    if path.base in ("stage", "checkpoint"):
        raise ValueError("what a stage has written is no place to write to")
    base = '"$PWD"' if path.base == "cwd" else f'"${word(path.name)}"'
    return Sh(base if path.path == "." else f"{base}/{quoted(path.path)}")


def render_script(template: str, **values: object) -> str:
    """The text of ``templates/<template>`` with ``values``."""
    return _environment().get_template(template).render(**values)


def quoted(value: object) -> str:
    """A value as one shell word. Raises TypeError for what no single word can stand for."""
    if isinstance(value, (Sh, Undefined)):
        return str(value)  # of an undefined name: raises, and names it
    if isinstance(value, str):
        if "\0" in value:
            raise TypeError("no shell word can hold a NUL")
        return shlex.quote(value) if value.isprintable() else _ansi_c(value)
    if isinstance(value, (bool, float)) or not isinstance(value, int):
        raise TypeError(f"a template may not print {type(value).__name__} {value!r}")
    return str(value)


def _ansi_c(text: str) -> str:
    """``$'…'`` with each byte that a reader could not see as octal."""
    return "$'" + "".join(_octal(byte) for byte in text.encode()) + "'"


def _octal(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\{byte:03o}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped_dir("templates")),
        undefined=StrictUndefined,
        finalize=quoted,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        # Bash counts an array's elements with ${#name[@]}.
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.globals.clear()
    return environment
