"""The receipt of one command line in one directory: lines that each say what was seen of what.

The first line is the digest of the rest, so that a damaged receipt is none.
"""

from __future__ import annotations

import os

from cfgc.load.raw import SHIPPED, project_of
from cfgc.receipts.seen import compiler_at_start, compiler_seen, digest_of, file_seen, folder_seen, tree_seen
from cfgc.resources import shipped_path
from cfgc.write.scratch import scratch_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MANIFEST = "manifest.json"
_FORM = "cfgc receipt 1"
_MOST = 4_096
"""Receipts that are kept."""


def unchanged(words: Sequence[str]) -> str | None:
    """What ``cfgc build`` of ``words`` says when nothing is to be done; None when that is not certain."""
    build = asked_of(words)
    lines = _read(_place(build)) if build and compiler_at_start() else None
    if build is None or lines is None:
        return None
    try:
        [(_, root, logical), *inputs, (_, target, tree, shown)] = [line.split("\t") for line in lines]
        root, target = _plain(root), _plain(target)
        same = project_of(spec_place(build[0])) == (root, _plain(logical)) and all(
            seen == seen_of(kind, root, _plain(name)) for kind, name, seen in inputs
        )
        if not same or is_disturbed(target):
            return None
        found, count = tree_seen(target)
    except (OSError, ValueError):
        return None
    shown = _plain(shown)
    return f"unchanged {shown} ({count} files; read {shown}/PLAN.md first)" if found == tree else None


def asked_of(words: Sequence[str]) -> tuple[str, ...] | None:
    """The spec, the bundle's directory or nothing, and the overrides; None for what has other options."""
    given, out, left = [], "", list(words)
    while left:
        word = left.pop(0)
        if word in {"-o", "--out"} and left and not out:
            out = left.pop(0)
        elif word.startswith("-"):
            return None
        else:
            given.append(word)
    return asked(given[0], out, given[1:]) if given else None


def asked(spec: str, out: str, overrides: Sequence[str]) -> tuple[str, ...]:
    """What a build is asked for, as ``unchanged`` and ``save`` know it; ``out`` is empty where nobody said it."""
    return (spec, out, *overrides)


def spec_place(spec: str) -> str:
    """The file from which the project of ``spec`` is looked for."""
    return "spec.toml" if spec.startswith(SHIPPED) else spec


def seen_of(kind: str, root: str, logical: str) -> str:
    """What is seen of a ``file`` or the names of a ``folder`` of the project, or of those that are shipped."""
    shipped = logical.startswith(SHIPPED)
    path = f"{shipped_path('specs') if shipped else root}/{logical.removeprefix(SHIPPED)}"
    return file_seen(path) if kind == "file" else folder_seen(path)


def is_disturbed(target: str) -> bool:
    """Whether a build has more to look at than the bundle's files: others that build there, bundles around it."""
    above, name = os.path.split(target)
    if os.path.islink(target) or any(entry.startswith(scratch_prefix(name)) for entry in os.listdir(above)):  # noqa: PTH114, PTH208
        return True
    while True:
        if os.path.lexists(f"{above}/{MANIFEST}"):
            return True
        if above == os.path.dirname(above):  # noqa: PTH120
            return False
        above = os.path.dirname(above)  # noqa: PTH120


def save(build: tuple[str, ...], project: tuple[str, str], inputs: Iterable[tuple[str, str, str]], shown: str) -> None:
    """Keep that ``build`` saw ``inputs`` and left the bundle at ``shown``. What can't be kept is not."""
    target = os.path.abspath(shown)  # noqa: PTH100
    try:
        place = _place(build)
        if not place or is_disturbed(target) or compiler_seen() != compiler_at_start():
            return
        tree, _ = tree_seen(target)
        lines = ["\t".join(("project", *map(_escaped, project)))]
        lines += [f"{kind}\t{_escaped(name)}\t{seen}" for kind, name, seen in inputs]
        lines.append("\t".join(("bundle", _escaped(target), tree, _escaped(shown))))
        _write(place, "\n".join([_FORM, *lines]))
    except (OSError, ValueError):
        return


def _place(build: tuple[str, ...]) -> str:
    """Where its receipt is: below ``CFGC_CACHE_DIR``, or where Linux has caches; empty where receipts are not kept.

    The library that knows this of every platform takes longer to import than all else here takes.
    """
    base = os.environ.get("CFGC_CACHE_DIR")
    if base is None:
        base = f"{os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')}/cfgc"  # noqa: PTH111
    key = digest_of("\0".join((compiler_at_start(), os.getcwd(), *build)).encode("utf-8", "surrogateescape"))  # noqa: PTH109
    return f"{base}/receipts/{key}" if os.path.isabs(base) else ""  # noqa: PTH117


def _read(path: str) -> list[str] | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            seal, _, text = file.read().partition(b"\n")
    except (OSError, ValueError):
        return None
    if seal != digest_of(text).encode():
        return None
    form, *lines = text.decode().split("\n")
    return lines if form == _FORM else None


def _write(path: str, text: str) -> None:
    folder = os.path.dirname(path)  # noqa: PTH120
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    _forget(folder)
    scratch = f"{path}.{os.getpid()}"
    with open(scratch, "wb") as file:  # noqa: PTH123
        file.write(f"{digest_of(text.encode())}\n{text}".encode())
    os.replace(scratch, path)  # noqa: PTH105


def _forget(folder: str) -> None:
    """Delete the older half of too many receipts."""
    with os.scandir(folder) as entries:
        found = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
    for _, path in found[: _MOST // 2] if len(found) >= _MOST else ():
        os.unlink(path)  # noqa: PTH108


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


def _plain(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")
