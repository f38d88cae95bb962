"""The plain word in a text that cannot be an option of ``#SBATCH``, where it says one."""

from __future__ import annotations

import re
from typing import Final

_OPTION: Final = re.compile(r"--?[A-Za-z][\w-]*(?:=|\s+)(?=\S)")
"""``--partition=`` and ``-p ``, before the value that is wanted."""
_QUOTES: Final = "\"'"
_JOINING: Final = re.compile(r"\s*([,|&])\s*")
_WORD: Final = re.compile(r"[A-Za-z0-9_@%+=:,./&|*\[\]()!][A-Za-z0-9_@%+=:,./&|*\[\]()!-]*")


def word_in(text: str, *, is_list: bool = False) -> str:
    """``text`` without what stands around its word; of a list also with commas between. Empty when it names none.

    Letters are never taken out: ``team one`` is no ``teamone``, and ``$NAME`` not NAME.
    """
    bare = text.strip().strip(_QUOTES).strip()
    option = _OPTION.match(bare)
    bare = _JOINING.sub(r"\1", bare[option.end() :].strip(_QUOTES) if option else bare)
    bare = ",".join(bare.split()) if is_list else bare
    return bare if _WORD.fullmatch(bare) and bare != text else ""
