"""Keys of another tool's tree become settings by a table: the first key of the tree that says something wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cfgc.deepspeed.config import Entry, Json, Path
from cfgc.diagnostics.masking import secret_kind
from cfgc.importing.branches import Branch, found_at, leaves
from cfgc.importing.hydra.resolving import MISSING, Resolver, UnresolvableError, reference_in
from cfgc.importing.items import Dropped, Grade, Item, Setting, accounted, came_from, sources_of
from cfgc.schema.catalogue import schema_fields
from cfgc.schema.renamed import LATER, NO_PLACE, RENAMED


@dataclass(frozen=True)
class Converted:
    """A value of the spec; ``note`` says what else there is to know, and makes it doubtful with ``doubtful``."""

    value: Json
    note: str = ""
    doubtful: bool = False
    expression: bool = False


class UnusableError(Exception):
    """The value says something that the spec does not have; the text says what."""


Ask: TypeAlias = Callable[[str], Json]
"""What another key of the tree says; None when it says nothing."""

Convert: TypeAlias = Callable[[Json, Ask], Converted | None]
"""None when the value turns nothing on. Raises ``UnusableError``."""


@dataclass(frozen=True)
class To:
    """Where a key goes; without ``convert`` its value is the same there."""

    key: str
    convert: Convert | None = None


def _nowhere(path: Path) -> Sequence[To]:
    return ()


@dataclass(frozen=True)
class Reading:
    """A tree and the tables of its kind.

    ``ignored`` are keys of the tool itself, with the reason; ``guess`` says where a key that no table knows goes.
    """

    root: Branch
    resolver: Resolver
    table: Mapping[str, Sequence[To]]
    ignored: Mapping[str, str]
    guess: Callable[[Path], Sequence[To]] = _nowhere

    def ask(self, dotted: str) -> Json:
        """The value of another key, None when there is none."""
        path = tuple(dotted.split("."))
        node = found_at(self.root, path)
        try:
            value = self.resolver.value(path, node) if isinstance(node, Entry) else None
        except UnresolvableError:
            return None
        return None if value == MISSING else value


def tree_items(reading: Reading) -> tuple[Item, ...]:
    """An item for every key of the tree."""
    items: list[Item] = []
    for dotted, destinations in (*reading.table.items(), *_by_name(reading), *_by_guess(reading)):
        path = tuple(dotted.split("."))
        entry = found_at(reading.root, path)
        if isinstance(entry, Entry) and not accounted(path, sources_of(items)):
            items += [_converted(reading, path, entry, to, items) for to in destinations]
    sources = sources_of(items)
    left = ((path, entry) for path, entry in leaves(reading.root) if not accounted(path, sources))
    items += [_left(reading, path, entry) for path, entry in left]
    settings = {source: item for item in reversed(items) if isinstance(item, Setting) for source in item.sources}
    return tuple(_linked(item, settings, reading) for item in items)


def _by_name(reading: Reading) -> Iterator[tuple[str, Sequence[To]]]:
    """Keys that the spec has under the same name, or that are known to be renamed."""
    for path, _ in leaves(reading.root):
        dotted = ".".join(path)
        renamed = RENAMED.get(dotted)
        if path in schema_fields():
            yield dotted, (To(dotted),)
        elif renamed is not None and not renamed.value and tuple(renamed.key.split(".")) in schema_fields():
            yield dotted, (To(renamed.key),)


def _by_guess(reading: Reading) -> Iterator[tuple[str, Sequence[To]]]:
    """Keys that no table has, and that mean something by their names."""
    for path, _ in leaves(reading.root):
        yield ".".join(path), reading.guess(path)


def _converted(reading: Reading, path: Path, entry: Entry, to: To, before: Sequence[Item]) -> Item:
    shown = entry.value
    try:
        value = reading.resolver.value(path, entry)
        if value == MISSING:
            return Dropped(path, "it has no value yet (???)", shown, doubtful=True)
        if _secret(path[-1], value):
            return Dropped(path, "it looks like a credential; name it in `env.required`", "…", doubtful=True)
        made = None if value is None else to.convert(value, reading.ask) if to.convert else Converted(value)
    except (UnresolvableError, UnusableError) as error:
        return Dropped(path, str(error), shown, doubtful=True)
    if made is None:
        return Dropped(path, "it changes nothing", shown)
    first = next((item for item in before if isinstance(item, Setting) and item.key == to.key), None)
    if first is not None:
        same = first.value == made.value
        because = f"{'.'.join(first.sources[0])} says " + (
            "the same" if same else f"{first.value!r}, and goes before it"
        )
        return Dropped(path, because, shown, doubtful=not same)
    return _setting(path, shown, to.key, made)


def _setting(path: Path, shown: Json, key: str, made: Converted) -> Setting:
    comment = came_from(path)
    if isinstance(shown, str) and "${" in shown:
        comment += f" = {shown}"
    comment += f": {made.note}" if made.note else ""
    grade: Grade = "doubtful" if made.doubtful else "converted"
    text = f"check: {comment}" if made.doubtful else comment
    return Setting(key, made.value, text, (path,), grade, made.expression)


def _left(reading: Reading, path: Path, entry: Entry) -> Item:
    """A key that no table knows."""
    dotted = ".".join(path)
    reasons = {**NO_PLACE, **reading.ignored}
    prefixes = (".".join(path[:length]) for length in range(len(path), 0, -1))
    because = next((reasons[prefix] for prefix in prefixes if prefix in reasons), "")
    value = "…" if _secret(path[-1], entry.value) else entry.value
    if because:
        return Dropped(path, because, value, doubtful=because in LATER)
    if value in (None, {}, []):
        return Dropped(path, "it says nothing", value)
    if value in (False, 0):
        return Dropped(path, "it is off, as everything is that a spec does not have", value)
    renamed = RENAMED.get(dotted)
    hint = f"; the nearest is `{renamed.key}`" if renamed else ""
    return Dropped(path, f"a spec has nothing like it{hint}", value, doubtful=True)


def _linked(item: Item, settings: Mapping[Path, Setting], reading: Reading) -> Item:
    """A value that refers to another key which is in the spec too refers to it there."""
    if not isinstance(item, Setting) or item.expression or not item.sources:
        return item
    node = found_at(reading.root, item.sources[0])
    target = reference_in(node.value, item.sources[0]) if isinstance(node, Entry) else None
    other = settings.get(target) if target else None
    if other is None or other.key == item.key or other.value != item.value or other.expression:
        return item
    return Setting(item.key, f"${{{other.key}}}", item.comment, item.sources, item.grade, expression=True)


def _secret(name: str, value: Json) -> bool:
    if isinstance(value, list):
        return any(_secret(name, item) for item in value)
    return isinstance(value, str) and secret_kind(name, value) is not None
