"""Files that commands write: what the system refuses names the file that was asked for, and the exit code is 74."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the system name ``path``: nobody knows a scratch file beside it, and a full disk names none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
