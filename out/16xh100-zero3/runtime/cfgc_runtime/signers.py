"""The file of allowed signers (``man ssh-keygen``), and why it allows a key not. Standard library only."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from cfgc_runtime.errors import USAGE, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY: Final = re.compile(rb"(?m)^[^#\n]*(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+[ \t]+AAAA[0-9A-Za-z+/=]+")
_SHOWN: Final = 3
_LAPSED: Final = (
    (re.compile(r"key has expired: .*valid-before (\S+)"), "its valid-before, {}, is past"),
    (re.compile(r"key is not yet valid: .*valid-after (\S+)"), "its valid-after, {}, is to come"),
    (re.compile(r"key is not permitted for use in signature (namespace .*)"), "its namespaces do not allow the {}"),
)
"""What ssh-keygen says of a line that has the key and allows it not."""


def find_signers(signers: Path) -> None:
    """Raises ``Failure`` unless ``signers`` is a file that can be read: it says nothing of a bundle when it is not."""
    why = "" if signers.is_file() else "it is no file" if os.path.lexists(signers) else "there is no such file"
    if not why:
        try:
            signers.open("rb").close()
        except OSError as error:
            why = f"it cannot be read: {error.strerror or error}"
    if why:
        raise Failure(USAGE, f"--signers {signers}: {why}; it has a line NAME KEYTYPE KEY for each who may sign")


def why_not_allowed(signers: Path, key: str, whose: str, said: str) -> tuple[str, str]:
    """Why no line of ``signers`` allows ``key`` as ``whose``, and what helps, if that is no new signature.

    ``said`` is what ssh-keygen said of the lines.
    """
    told = dict.fromkeys(_told(signers, said))
    lapsed = [f"line {number} of {signers} has it, and {why}" for number, text in told if (why := _lapsed(text))]
    if lapsed:
        advice = f"put right the line in {signers} if the key is still trusted; else let a key sign that is"
        return f"{key} is not allowed: {'; '.join(lapsed[:_SHOWN])}", advice
    unread = "; ".join(f"line {number}: {text}" for number, text in list(told)[:_SHOWN])
    if not _KEY.search(signers.read_bytes()):
        advice = "it has a line NAME KEYTYPE KEY for each who may sign: `cfgc sign … --identity NAME` prints it"
        return f"no line of {signers} is a key" + (f" ({unread})" if unread else ""), advice
    return f"{key} is not {whose}" + (f" ({unread})" if unread else ""), ""


def _told(signers: Path, said: str) -> Iterator[tuple[str, str]]:
    """The number of each line that ssh-keygen has something to say of, and what."""
    start = f"{signers.absolute()}:"
    for line in said.splitlines():
        number, colon, text = line.removeprefix(start).partition(": ")
        if line.startswith(start) and colon and number.isdecimal():
            yield number, text.strip()


def _lapsed(text: str) -> str:
    found = ((pattern.match(text), why) for pattern, why in _LAPSED)
    return next((why.format(match[1]) for match, why in found if match), "")
