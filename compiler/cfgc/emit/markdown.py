"""Numbers and texts as a reader of PLAN.md wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cfgc.lower.plan_machine import NodePath

_SPECIAL = re.compile(r"([\\`*_\[\]<>#])")
_MEMORY = ("B", "KiB", "MiB", "GiB", "TiB")
_DISK = ("B", "kB", "MB", "GB", "TB")
_COUNT = ("", " K", " M", " B", " T")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines; cells are Markdown already, but for bars, which end a cell even in code."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines]


def text(value: str) -> str:
    """``value`` as plain text on one line: nothing in it is markup."""
    return _SPECIAL.sub(r"\\\1", "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value))


def code(value: str) -> str:
    """``value`` as code on one line, whatever backticks it holds."""
    if not value:
        return "(empty)"
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}"


def shown_path(path: NodePath) -> str:
    """A path of the node, as a person writes it."""
    if path.base == "absolute":
        return path.path
    base = {
        "cwd": ".",
        "env": f"${path.name}",
        "stdlib": "(the interpreter's standard library)",
        "stage": f"(stage {path.name})",
        "checkpoint": f"(newest checkpoint of stage {path.name})",
    }[path.base]
    return base if path.path == "." else f"{base}/{path.path}"


def memory(size: int) -> str:
    """Bytes in binary units: ``0.55 GiB``."""
    return _scaled(size, 1024, _MEMORY)


def disk(size: int) -> str:
    """Bytes in decimal units: ``1.7 GB``."""
    return _scaled(size, 1000, _DISK)


def count(number: int) -> str:
    """A large number in short: ``41.9 B``; a small one in full."""
    return f"{number:,}" if number < 10_000_000 else _scaled(number, 1000, _COUNT, gap="")


def duration(seconds: int) -> str:
    """``24 h``, ``1 h 30 min``, ``45 s``."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{n:,} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (left, "s")) if n]
    return " ".join(parts) or "0 s"


def number(value: float) -> str:
    """Up to six digits, no trailing zeros: ``0.0003``, ``3e-05``."""
    return f"{value:.6g}"


def counted(amount: int, noun: str) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")


def _scaled(size: int, base: int, units: Sequence[str], gap: str = " ") -> str:
    value, unit = float(size), 0
    while value >= base and unit < len(units) - 1:
        value, unit = value / base, unit + 1
    digits = 0 if unit == 0 else 2 if value < 10 and base == 1024 else 1
    return f"{value:,.{digits}f}{gap}{units[unit]}"
