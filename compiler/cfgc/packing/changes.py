"""What the files that are packed have changed since their commit, as a patch that ``git apply`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff

NAME = "package.patch"
_NO_NEWLINE = "\\ No newline at end of file\n"


def patch_of(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The files that differ, by path. What is no text is named, and lies in the archive."""
    names = sorted({*before, *after})
    return "".join(line for name in names for line in _file(name, before.get(name), after.get(name))).encode()


def _file(name: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    if old == new:
        return
    yield f"diff --git a/{name} b/{name}\n"
    if old is None:
        yield "new file mode 100644\n"
    if new is None:
        yield "deleted file mode 100644\n"
    texts = _text(old or b""), _text(new or b"")
    if texts[0] is None or texts[1] is None:
        yield f"Binary files {_side('a', name, old)} and {_side('b', name, new)} differ\n"
        return
    yield from _hunks(texts[0], texts[1], _side("a", name, old), _side("b", name, new))


def _side(prefix: str, name: str, data: bytes | None) -> str:
    return "/dev/null" if data is None else f"{prefix}/{name}"


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _hunks(old: str, new: str, before: str, after: str) -> Iterator[str]:
    for line in unified_diff(_lines(old), _lines(new), before, after):
        yield line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}"


def _lines(text: str) -> list[str]:
    """Lines as git has them, which a newline ends and nothing else."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])
