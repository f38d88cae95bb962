"""Which overlays apply, and where their files are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import overlay_errors
from cfgc.load.directives import MOST, home_of, patch_of
from cfgc.load.files import SpecFile, read_spec
from cfgc.load.library import Library
from cfgc.nearest import nearest
from cfgc.origin import Layer, Path, dotted
from cfgc.source import Span

ORDER = ("hardware", "zero", "cluster")
"""Groups that apply first, in this order; the others follow by name."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class Choice:
    """A settled overlay: its group, the option, where each was written, and whether on the command line."""

    group: str
    option: str
    span: Span
    group_span: Span
    on_command_line: bool = False

    def __str__(self) -> str:
        return f"{self.group}={self.option}"


@dataclass(frozen=True)
class Dropped:
    """A group whose overlay a layer takes back."""

    group: str
    span: Span


def settle(
    files: Iterable[SpecFile], command_line: Sequence[Choice | Dropped]
) -> tuple[list[Choice], list[Diagnostic]]:
    """The choices in the order in which they apply: a later file's and the command line's replace earlier ones."""
    chosen: dict[str, Choice] = {}
    problems: list[Diagnostic] = []
    for spec in files:
        for step in _steps(spec):
            problems += _take(chosen, step)
    for step in command_line:
        before = chosen.get(step.group)
        if not isinstance(step, Choice) or before is None or before.option != step.option:
            problems += _take(chosen, step)
    return sorted(chosen.values(), key=lambda choice: group_rank(choice.group)), problems


def read_overlay(library: Library, choice: Choice, keys: Iterable[Path]) -> SpecFile:
    """The overlay's file. Raises ``Rejected`` when it can't be read. ``keys`` are those that the spec may set."""
    tried = library.overlay_files(choice.group, choice.option)
    if _NAME.fullmatch(choice.group) and _NAME.fullmatch(choice.option):
        for logical in tried:
            found = read_spec(library.reader, logical, choice.span)
            if found is not None:
                return found
    raise Rejected([_unknown(library, choice, tried, keys)])


def keys_of_group(library: Library, choice: Choice) -> list[Path]:
    """The keys that the options of the group set: what ``choice``, which can't be read, was probably meant to set."""
    return keys_in_folder(library, nearest(choice.group, library.groups()) or choice.group)


def keys_in_folder(library: Library, folder: str) -> list[Path]:
    """The keys that the specs of ``folder`` set, wherever specs are looked for."""
    keys: dict[Path, None] = {}
    for option in library.options(folder)[:MOST] if folder else ():
        for logical in library.overlay_files(folder, option):
            with suppress(Rejected):
                spec = read_spec(library.reader, logical)
                if spec:
                    keys |= dict.fromkeys(patch_of(spec.document, spec.directives, Layer("overlay")).sets)
    return list(keys)


def choices_inside(overlay: SpecFile) -> list[Diagnostic]:
    """An overlay file's own ``[overlays]`` and drops are refused."""
    directives = overlay.directives
    spans = [*(named.span for named in directives.overlays.values()), *directives.dropped_overlays.values()]
    return [overlay_errors.overlay_chooses_overlays(span) for span in spans]


def _steps(spec: SpecFile) -> list[Choice | Dropped]:
    directives = spec.directives
    dropped = [Dropped(group, span) for group, span in directives.dropped_overlays.items()]
    return [
        *dropped,
        *(Choice(group, named.name, named.span, named.key_span) for group, named in directives.overlays.items()),
    ]


def _take(chosen: dict[str, Choice], step: Choice | Dropped) -> list[Diagnostic]:
    if isinstance(step, Choice):
        chosen[step.group] = step
    elif step.group in chosen:
        del chosen[step.group]
    else:
        return [overlay_errors.overlay_not_chosen(step.group, [str(c) for c in chosen.values()], step.span)]
    return []


def group_rank(group: str) -> tuple[int, str]:
    """Where the overlay of ``group`` stands among those that apply."""
    return (ORDER.index(group) if group in ORDER else len(ORDER)), group


def _unknown(library: Library, choice: Choice, tried: Sequence[str], keys: Iterable[Path]) -> Diagnostic:
    options = library.options(choice.group) if _NAME.fullmatch(choice.group) else ()
    if options:
        return overlay_errors.unknown_option(choice.group, choice.option, options, choice.span, tried)
    if choice.on_command_line:
        return overlay_errors.unknown_group(choice.group, library.groups(), choice.group_span, _keys(choice, keys))
    return overlay_errors.unknown_group(choice.group, library.groups(), choice.group_span, home=home_of(choice.group))


def _keys(choice: Choice, keys: Iterable[Path]) -> tuple[str, ...]:
    """What the user may have meant: a key of that last name, written without its section."""
    found = dict.fromkeys(dotted(path) for path in keys if path[-1] == choice.group and len(path) > 1)
    return tuple(f"to set a key, write its section: '{key}={choice.option}'" for key in [*found][:3])


def named_choices(choices: Iterable[Choice]) -> Mapping[str, str]:
    """Option by group."""
    return {choice.group: choice.option for choice in choices}
