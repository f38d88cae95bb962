"""Shell completion: keys, overlay groups and their options, and codes."""

from __future__ import annotations

from pathlib import Path

from click import Context, Parameter
from click.shell_completion import CompletionItem

from cfgc.load.reader import Reader


def complete_override(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Schema keys (``training.…=``), or the options of an overlay group once ``group=`` is typed."""
    del context, parameter
    from cfgc.load.overlays import overlay_groups
    from cfgc.schema.catalogue import catalogue

    group, equals, start = incomplete.partition("=")
    if equals and "." not in group:
        return [CompletionItem(f"{group}={option}") for option in _options(group) if option.startswith(start)]
    keys = [entry.dotted for entry in catalogue() if entry.dotted.startswith(incomplete)]
    groups = [f"{group}=" for group in overlay_groups(_reader()) if group.startswith(incomplete)]
    return [*_files(incomplete), *map(CompletionItem, groups), *map(CompletionItem, keys)]


def complete_explain(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Diagnostic codes, and TOML files."""
    del context, parameter
    from cfgc.diagnostics.explain import known_codes

    codes = [CompletionItem(code) for code in known_codes() if code.startswith(incomplete.upper() or "CFG")]
    return [*_files(incomplete), *codes]


def _options(group: str) -> tuple[str, ...]:
    return _reader().options(group)


def _reader() -> Reader:
    """A reader of the project around the current directory."""
    from cfgc.cli.session import open_spec

    return open_spec("spec.toml").reader


def _files(incomplete: str) -> list[CompletionItem]:
    directory = Path(incomplete).parent
    found = sorted(directory.glob("*.toml")) if directory.is_dir() else []
    return [CompletionItem(str(path)) for path in found if str(path).startswith(incomplete)]
