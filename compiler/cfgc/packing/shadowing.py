"""Packed files that Python would import in place of what the runtime needs: the package comes first on the node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_LIBRARIES: Final = frozenset({"cfgc_runtime", "deepspeed", "numpy", "pyarrow", "tokenizers", "torch", "transformers"})
_NAMES: Final = """
    argparse array ast asyncio base64 binascii bisect bz2 calendar cmath collections colorsys concurrent
    configparser contextlib contextvars copy copyreg csv ctypes dataclasses datetime decimal difflib dis email
    encodings enum fcntl fnmatch fractions ftplib functools getpass gettext glob grp gzip hashlib heapq hmac
    html http importlib inspect ipaddress json keyword linecache locale logging lzma math mimetypes mmap
    multiprocessing numbers opcode operator pathlib pickle pickletools pkgutil platform pprint pydoc queue
    quopri random re reprlib resource secrets select selectors shlex shutil signal socket ssl statistics string
    stringprep struct subprocess sysconfig tarfile tempfile termios textwrap threading timeit token tokenize
    traceback types typing unicodedata unittest urllib uuid warnings weakref zipfile zlib zoneinfo
"""
"""What the runtime, torch and DeepSpeed import of the standard library once Python has started.

A list, since Pythons differ in what they have.
"""
_STANDARD: Final = frozenset(_NAMES.split())


def shadowing(paths: Iterable[str], roots: Iterable[str]) -> dict[str, str]:
    """Path → the name that Python would import from it, where it is taken; a directory has an ``__init__.py``."""
    places = tuple(paths)
    found = ((path, _name(path.removeprefix(root))) for root in roots for path in places if path.startswith(root))
    return {path: name for path, name in sorted(found) if name in _LIBRARIES or name in _STANDARD}


def _name(path: str) -> str:
    """The top-level module that ``path`` is, or nothing."""
    return path.removesuffix(".py").removesuffix("/__init__") if path.endswith(".py") else ""
