"""What a rule is given: a ds_config, the release that will read it, and how a finding is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cfgc.deepspeed.config import AUTO, Config, Json, Path
from cfgc.deepspeed.table import MISSING, Release
from cfgc.diagnostics import Diagnostic, Label, Severity
from cfgc.diagnostics.model import Edit, Fix
from cfgc.source import Span


def path_of(dotted: str) -> Path:
    """``zero_optimization.stage`` as a path."""
    return tuple(dotted.split("."))


@dataclass(frozen=True)
class At:
    """A key that has a part in a finding, and what to say under it."""

    dotted: str
    text: str = ""


@dataclass(frozen=True)
class Case:
    """One ds_config under one release. ``world_size`` and ``device`` are None and empty when nobody said."""

    config: Config
    release: Release
    world_size: int | None = None
    device: str = ""

    def written(self, dotted: str) -> bool:
        """Whether the key is in the config."""
        return path_of(dotted) in self.config.entries

    def value(self, dotted: str) -> Json:
        """What DeepSpeed will use: what is written, else the release's default; None when that is not known.

        Not known is a value that is ``auto``, a key without a default, and one that the release does not read.
        """
        path = path_of(dotted)
        entry, key = self.config.get(path), self.release.key(path)
        if entry is not None:
            return None if entry.value == AUTO else entry.value
        return None if key is None or key.default is MISSING else key.default

    def flag(self, dotted: str) -> bool:
        """Whether the key is true; false for what is not known."""
        return self.value(dotted) is True

    def integer(self, dotted: str) -> int | None:
        """The whole number of the key (an integral float is one), or None."""
        value = self.value(dotted)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if isinstance(value, int) or value.is_integer() else None

    def number(self, dotted: str) -> float | None:
        """The number of the key, or None."""
        value = self.value(dotted)
        return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)

    def text(self, dotted: str) -> str | None:
        """The text of the key, or None."""
        value = self.value(dotted)
        return value if isinstance(value, str) else None

    def since(self, version: str) -> bool:
        """Whether the release is this one or a newer one."""
        return release_numbers(self.release.version) >= release_numbers(version)

    def error(
        self,
        code: str,
        message: str,
        places: Sequence[At],
        notes: Iterable[str] = (),
        helps: Iterable[str] = (),
        fixes: Iterable[Fix] = (),
    ) -> Diagnostic:
        """An error about ``places``, the one to change first."""
        return self._finding("error", code, message, places, notes, helps, fixes)

    def warning(
        self,
        code: str,
        message: str,
        places: Sequence[At],
        notes: Iterable[str] = (),
        helps: Iterable[str] = (),
        fixes: Iterable[Fix] = (),
    ) -> Diagnostic:
        """The same as a warning."""
        return self._finding("warning", code, message, places, notes, helps, fixes)

    def _finding(
        self,
        severity: Severity,
        code: str,
        message: str,
        places: Sequence[At],
        notes: Iterable[str],
        helps: Iterable[str],
        fixes: Iterable[Fix],
    ) -> Diagnostic:
        labels = [label for place in places if (label := self.label(place))]
        unwritten = [note for place in places if (note := self._default_note(place))]
        return Diagnostic(
            code=code,
            message=message,
            primary=labels[0] if labels else None,
            secondary=tuple(labels[1:]),
            notes=tuple(note for note in (*notes, *unwritten) if note),
            helps=tuple(helps),
            severity=severity,
            fixes=tuple(fixes),
        )

    def label(self, place: At) -> Label | None:
        """The place as a label: the whole entry; None for what no file holds."""
        entry = self.config.get(path_of(place.dotted))
        if entry is None or entry.span is None:
            return None
        text = f"{place.text}, from {entry.layer}" if entry.layer else place.text
        return Label(entry_span(entry.span, entry.key), text)

    def _default_note(self, place: At) -> str:
        if self.written(place.dotted):
            return ""
        value = self.value(place.dotted)
        return "" if value is None else f"`{place.dotted}` is {json.dumps(value)} when it is left out"

    def set(self, dotted: str, value: Json) -> Edit:
        """The edit that gives the key a value, whether it is there or not."""
        return Edit("set", self.config.source, self._edited(dotted), value=value)

    def drop(self, dotted: str) -> Edit:
        """The edit that takes the key out."""
        return Edit("remove", self.config.source, self._edited(dotted))

    def move(self, dotted: str, to: str) -> Edit:
        """The edit that gives the key another name, or another section, with its value."""
        return Edit("move", self.config.source, self._edited(dotted), to=self._edited(to))

    def _edited(self, dotted: str) -> Path:
        path = path_of(dotted)
        entry = self.config.get(path)
        if entry and entry.edited:
            return entry.edited
        section, name = path[:-1], path[-1]
        above = self.config.get(section) if section and not self.config.home else None
        return (*above.edited, name) if above and above.edited else (*self.config.home, *path)


def release_numbers(version: str) -> tuple[int, ...]:
    """``0.16.9`` as numbers that compare by age."""
    return tuple(int(part) for part in version.split("."))


def entry_span(value: Span, key: Span | None) -> Span:
    """From the key to the end of its value; the value alone when they are on different lines."""
    if key is None or key.source is not value.source or key.end > value.start or key.line != value.line:
        return value
    return Span(value.source, key.start, value.end)
