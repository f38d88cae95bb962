"""From logical names to parsed specs: decoding, and the search path of ``extends``."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import base_errors, limit_errors, syntax_errors
from cfgc.load.directives import Directives, Named, read_directives
from cfgc.load.document import Document, parse_document
from cfgc.load.graph import Input
from cfgc.load.library import Library
from cfgc.load.raw import SHIPPED, TooLargeError
from cfgc.load.reader import Reader
from cfgc.nearest import nearest
from cfgc.source import NotUtf8Error, SourceFile, Span, decode_source

MAX_NAME = 4_000
"""Characters of a path, as Linux has it."""


@dataclass(frozen=True)
class SpecFile:
    """One spec that was read."""

    input: Input
    document: Document
    directives: Directives

    @property
    def logical(self) -> str:
        """Its logical name."""
        return self.input.logical


def read_spec(reader: Reader, logical: str, asked: Span | None = None) -> SpecFile | None:
    """The spec ``logical``, or None when there is none. Raises ``Rejected`` when it can't be read or parsed."""
    found = read_document(reader, logical, asked)
    if found is None:
        return None
    read, document = found
    return SpecFile(read, document, read_directives(document))


def read_document(reader: Reader, logical: str, asked: Span | None = None) -> tuple[Input, Document] | None:
    """The TOML file ``logical``, or None when there is none. Raises ``Rejected`` when it can't be read or parsed."""
    try:
        data = reader.read(logical)
    except IsADirectoryError:
        raise Rejected([base_errors.a_directory(logical, asked)]) from None
    except TooLargeError as error:
        raise Rejected([limit_errors.file_too_large(logical, str(error), asked)]) from None
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise Rejected([base_errors.unreadable(logical, reason, asked)]) from None
    if data is None:
        return None
    return Input(logical, sha256(data).hexdigest()), parse_document(decode(logical, data))


def no_spec(library: Library, names: Sequence[str], wanted: str, asked: Span) -> Diagnostic:
    """What is said when none of ``names`` exists."""
    return base_errors.no_such_spec(wanted, names, _close(library, wanted), asked)


def read_root(library: Library, logical: str) -> SpecFile:
    """The spec that is compiled. Raises ``Rejected`` when there is none."""
    found = read_spec(library.reader, logical)
    if found is None:
        raise Rejected([base_errors.no_such_spec(logical, (), _close(library, logical), None)])
    return found


def decode(logical: str, data: bytes) -> SourceFile:
    """The text of ``data``. Raises ``Rejected`` when it is not UTF-8, or begins with a byte order mark."""
    try:
        source = decode_source(logical, data)
    except NotUtf8Error as error:
        raise Rejected([syntax_errors.not_utf8(error.readable, error.what, error.offset)]) from None
    if source.text.startswith("\ufeff"):
        raise Rejected([syntax_errors.not_utf8(source, "a byte order mark", 0)])
    return source


def candidates(named: Named, beside: str, search: Sequence[str]) -> tuple[str, ...]:
    """Logical names that ``named`` may mean: beside the file ``beside``, in ``search``, or shipped.

    Raises ``Rejected`` when it can mean none.
    """
    name = named.name
    why = not_logical(name)
    if why:
        raise Rejected([base_errors.not_a_logical_path(name, why, named.span)])
    if name.startswith(SHIPPED):
        return (SHIPPED + posixpath.normpath(name.removeprefix(SHIPPED)),)
    shipped = SHIPPED + posixpath.normpath(name)
    if beside.startswith(SHIPPED):
        folder = posixpath.dirname(beside.removeprefix(SHIPPED))
        found = [SHIPPED + posixpath.normpath(posixpath.join(folder, name)), shipped]
    else:
        relative = posixpath.normpath(posixpath.join(posixpath.dirname(beside), name))
        searched = [posixpath.normpath(posixpath.join(place, name)) for place in search]
        outside = posixpath.normpath(name).startswith("../")
        found = [relative] if outside else [relative, *searched, shipped]
    return tuple(dict.fromkeys(logical for logical in found if not logical.startswith(f"{SHIPPED}../")))


def not_logical(name: str) -> str | None:
    """Why ``name`` is no path that means the same on every machine; None when it is one."""
    if name.startswith(("/", "~")) or name[1:3] in {":\\", ":/"}:
        return "an absolute path is another file on another machine"
    if "\\" in name:
        return "paths are written with `/`"
    if len(name) > MAX_NAME:
        return f"it has {len(name):,} characters"
    if "\0" in name:
        return "it holds a null character"
    return None


def _close(library: Library, wanted: str) -> str | None:
    path = wanted.removeprefix(SHIPPED)
    folder, name = posixpath.split(path)
    options = library.options(folder) or library.options(posixpath.basename(folder))
    stem = nearest(name.removesuffix(".toml"), options)
    found = posixpath.join(folder, f"{stem}.toml") if stem else None
    return None if found is None or found == path else (SHIPPED if SHIPPED in wanted else "") + found
