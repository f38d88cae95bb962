"""Literals in packed files that look like credentials: a bundle is committed, copied and read by others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.diagnostics.masking import KINDS

_FILLED_IN = re.compile(r"[{}<>$%*]")
"""Signs of a text into which the secret is put later: ``https://{user}:{password}@host``."""


def secrets_in(path: str, data: bytes) -> Iterator[str]:
    """``train.py:12: a Hugging Face token (hf_…)`` for each, by its spelling; a name alone proves nothing in code."""
    text = data.decode(errors="replace")
    for pattern, kind, _ in KINDS:
        for match in pattern.finditer(text):
            if not _FILLED_IN.search(match.group()):
                yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {kind}"
