"""The archive: a tar whose bytes follow from the files alone."""

from __future__ import annotations

import io
from collections.abc import Mapping

NAME = "package.tar"


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """``files`` by path, sorted; no times, no owners. A file that begins with ``#!`` can be executed, no other."""
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo(name)  # of time 0 and of nobody
            info.size, info.mode = len(data), 0o755 if data.startswith(b"#!") else 0o644
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
