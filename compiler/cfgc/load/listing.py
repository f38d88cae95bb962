"""Every overlay that can be chosen, with what its file says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cfgc.load.library import Library
from cfgc.load.overlays import group_rank
from cfgc.load.raw import SHIPPED
from cfgc.load.reader import Reader


@dataclass(frozen=True)
class Option:
    """One overlay. ``over`` are the files of the same name that it hides; ``chosen`` whether a spec picks it."""

    group: str
    name: str
    file: str
    description: str
    over: tuple[str, ...] = ()
    chosen: bool = False


def listed(library: Library, chosen: Mapping[str, str], groups: Sequence[str] = ()) -> tuple[Option, ...]:
    """The options of ``groups``, or of all: groups as they apply, in each the project's own first, then by name."""
    wanted = sorted(groups or library.groups(), key=group_rank)
    return tuple(option for group in wanted for option in _options(library, chosen, group))


def _options(library: Library, chosen: Mapping[str, str], group: str) -> Sequence[Option]:
    found = [option for name in library.options(group) for option in _option(library, group, name)]
    marked = [Option(o.group, o.name, o.file, o.description, o.over, chosen=chosen.get(group) == o.name) for o in found]
    return sorted(marked, key=lambda option: (option.file.startswith(SHIPPED), option.name))


def _option(library: Library, group: str, name: str) -> Iterator[Option]:
    files = [file for file in library.overlay_files(group, name) if _is_there(library, file)]
    if files:
        first, *hidden = files
        yield Option(group, name, first, _description(library.reader, first), tuple(hidden))


def _is_there(library: Library, logical: str) -> bool:
    folder, _, name = logical.rpartition("/")
    return name in (library.reader.entries(folder) or ())


def _description(reader: Reader, logical: str) -> str:
    """What the file's first comment says; empty when it does not begin with one."""
    try:
        text = (reader.read(logical) or b"").decode(errors="replace")
    except OSError as error:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    lines = (line.strip() for line in text.split("\n", 3))
    first = next((line for line in lines if not line.startswith("#:")), "")  # `#:schema` is for editors
    return first.lstrip("# ") if first.startswith("#") else ""
