"""Putting a directory in the place of another one in a single step."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from pathlib import Path
from typing import Any

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def put_in_place(new: Path, directory: Path, retired: Path) -> None:
    """``new`` becomes ``directory``; what was there before is left at ``new`` or ``retired``, for deletion.

    With Linux's RENAME_EXCHANGE there is no moment without a bundle. Elsewhere the old one is set aside first, and
    put back when the second rename fails. Raises OSError.
    """
    if not os.path.lexists(directory):
        new.rename(directory)
    elif not _exchanged(new, directory):
        directory.rename(retired)
        try:
            new.rename(directory)
        except OSError:
            retired.rename(directory)
            raise


def _exchanged(one: Path, other: Path) -> bool:
    """True when the two names were exchanged, False when this system cannot."""
    function = _renameat2()
    if function is None:
        return False
    if function(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(other))


@cache
def _renameat2() -> Any:
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function
