"""Keys that the schema does not have: mistyped, called otherwise here, or without counterpart."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from cfgc.load.directives import RESERVED
from cfgc.lookalike import odd_character
from cfgc.nearest import clearly_nearest, nearest
from cfgc.origin import Origin, Path
from cfgc.schema.catalogue import INNER_KEYS, schema_fields, schema_sections
from cfgc.schema.lookup import section_at
from cfgc.schema.renamed import NO_PLACE, RENAMED, Renamed, aliases
from cfgc.validate.missing import dotted
from cfgc.validate.places import Location, key_label, leaf_at
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.schema_errors import no_place, renamed_key, unknown_key
from cfgc.validate.values import toml_text
from cfgc.validate.wording import override

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.diagnostics.model import Fix
    from cfgc.resolve.resolved import Resolved


def unknown_keys(resolved: Resolved, location: Location) -> Iterator[Diagnostic]:
    """One finding for an unknown key; for an unknown table, one for each key of it that has a name here."""
    path = tuple(part for part in location if isinstance(part, str))
    below = [known for known in resolved.leaves if known[: len(path)] == path]
    explained = dict.fromkeys(known for leaf in below if (known := _known(leaf)))
    if len(path) < len(location) or not explained:
        yield _unknown(resolved, location)
        return
    yield from (_elsewhere(resolved, known) for known in explained)
    yield from (_unknown(resolved, leaf) for leaf in below if not _known(leaf))


def _known(path: Path) -> str:
    """The longest head of ``path`` that the tables of other names hold; empty when none does."""
    heads = (".".join(path[:length]) for length in range(len(path), 0, -1))
    return next((head for head in heads if head in RENAMED or head in NO_PLACE), "")


def _elsewhere(resolved: Resolved, known: str) -> Diagnostic:
    place = tuple(known.split("."))
    label = key_label(resolved, place, "")
    if known in NO_PLACE:
        return no_place(known, label, NO_PLACE[known], one_fix(Remedy(resolved).take_back(place)))
    renamed = RENAMED[known]
    write = _write(resolved, place, renamed)
    return renamed_key(known, renamed.key, label, renamed.reason, write, _renaming(resolved, place, renamed))


def _renaming(resolved: Resolved, place: Path, renamed: Renamed) -> tuple[Fix, ...]:
    """The value under its name here; certain where it is the same value, and there is none yet."""
    remedy, to = Remedy(resolved), tuple(renamed.key.split("."))
    carried = _carried(resolved, place)
    if not renamed.value and carried != "0":
        edits = remedy.move(place, to)
        return one_fix(edits, certain=all(edit.action == "move" for edit in edits))
    there = leaf_at(resolved, to)
    written = there is not None and there[0].origin.layer.kind == "spec"
    value = tomllib.loads(f"x = {renamed.value or carried}")["x"]
    gone = remedy.take_back(place)
    return one_fix(gone if written or not gone else (*gone, *remedy.set(to, value)))


def _write(resolved: Resolved, place: Path, renamed: Renamed) -> str:
    section, _, name = renamed.key.rpartition(".")
    if _overridden(resolved, place):
        return f"write `{override(renamed.key, renamed.value or _carried(resolved, place))}` on the command line"
    where = "" if place[:-1] == tuple(section.split(".")) or not section else f" under `[{section}]`"
    return f"write `{name} = {renamed.value or _carried(resolved, place)}`{where}"


def _overridden(resolved: Resolved, place: Location) -> bool:
    found = leaf_at(resolved, place)
    return found is not None and found[0].origin.layer.kind == "command line"


def _carried(resolved: Resolved, place: Path) -> str:
    """The old value as TOML; 0 where it was negative, which elsewhere means all."""
    found = leaf_at(resolved, place)
    if not found:
        below = {path[-1]: leaf.origin.value for path, leaf in resolved.leaves.items() if path[:-1] == place}
        return toml_text(below)
    value = found[0].origin.value
    return "0" if isinstance(value, int) and value < 0 else _as_written(found[0].origin)


def _as_written(origin: Origin) -> str:
    """The value as TOML; a number as it was spelled."""
    plain = isinstance(origin.value, int | float)
    return origin.span.text if plain and origin.span else toml_text(origin.value)


def _unknown(resolved: Resolved, location: Location) -> Diagnostic:
    if location[:1] == ("stages",) and len(location) == 3:
        return _in_a_stage(resolved, location)
    name = str(location[-1])
    here = section_at(location[:-1])
    known = (*here.model_fields, *(RESERVED if len(location) == 1 else ())) if here else ()
    table = _table_at(resolved, location)
    said_twice = bool(table) and location[-2:-1] == (name,)  # `[launch] launch.nodes`, which is no slip for a key
    close = None if said_twice else nearest(name, known) or _beginning(name, known)
    other = "" if close else name if name in RESERVED else other_home(name, table)
    label = key_label(resolved, location, f"did you mean `{close or other}`?" if close or other else "")
    odd = odd_character(name)
    notes = (odd,) if odd else () if close or other else _listing(location[:-1], known)
    moved = _moved(resolved, location, other) if other else "remove it"
    certain = close is not None and close == clearly_nearest(name, known)
    if table and not close and other in ("", dotted(location[:-1])) and table.keys() <= set(known):
        raised = [edit for key in table for edit in Remedy(resolved).move((*location, key), (*location[:-1], key))]
        help_ = f"write {', '.join(f'`{key}`' for key in table)} without `{name}`"
        return unknown_key(dotted(location), label, notes, (help_,), one_fix(tuple(raised)))
    fixes = _putting_right(resolved, location, close, other, certain=certain)
    return unknown_key(dotted(location), label, notes, (f"write `{close}`" if close else moved,), fixes)


def _in_a_stage(resolved: Resolved, location: Location) -> Diagnostic:
    """A key of a stage: one of its own that is mistyped, or one of the spec that it runs, which ``set`` holds."""
    name, here = str(location[-1]), section_at(location[:-1])
    known = tuple(here.model_fields) if here else ()
    table = leaf_at(resolved, location)
    close = nearest(name, known)
    other = "" if close else name if (name,) in schema_sections() else other_home(name, table and table[0].value)
    meant = close or other
    label = key_label(resolved, location, f"did you mean `{close}`?" if close else "")
    helps = (f"write `{close}`" if close else f"write `set = {{ {other} = … }}`" if other else "remove it",)
    notes = () if meant else _listing(location[:-1], known)
    if other:
        fixes = one_fix(Remedy(resolved).move(location, (*location[:-1], "set", *other.split("."))))
    else:
        fixes = _putting_right(resolved, location, close, "", certain=close == clearly_nearest(name, known))
    return unknown_key(dotted(location), label, notes, helps, fixes)


def _putting_right(
    resolved: Resolved, location: Location, close: str | None, other: str, *, certain: bool
) -> tuple[Fix, ...]:
    """The key under the name that was meant, or in its own section; else out."""
    remedy = Remedy(resolved)
    misplaced = tuple(other.split(".")) in schema_sections() and not _table_at(resolved, location)
    if not close and (not other or misplaced):
        return one_fix(remedy.take_back(location))
    to = (*location[:-1], close) if close else tuple(other.split("."))
    edits = remedy.move(location, to)
    same_name = bool(other) and to[-1] == location[-1]
    return one_fix(edits, certain=(certain or same_name) and all(edit.action == "move" for edit in edits))


def _beginning(name: str, known: tuple[str, ...]) -> str | None:
    """The one known key that ``name`` is the beginning of."""
    longer = [key for key in known if key.startswith(f"{name}_")]
    return longer[0] if len(longer) == 1 else None


def _moved(resolved: Resolved, location: Location, home: str) -> str:
    section, _, name = home.rpartition(".")
    if not section or tuple(home.split(".")) in schema_sections():
        return f"write `{home}`"
    found = leaf_at(resolved, location)
    value = _as_written(found[0].origin) if found and not found[1] else "…"
    if _overridden(resolved, location):
        return f"write `{override(home, value)}` on the command line"
    return f"write `{name} = {value}` under `[{section}]`"


def _table_at(resolved: Resolved, location: Location) -> dict[str, Any]:
    """The keys that stand below ``location``, which is a table; empty for a value."""
    path = tuple(part for part in location if isinstance(part, str))
    if len(path) < len(location):
        return {}
    return {known[len(path)]: None for known in resolved.leaves if known[: len(path)] == path and known != path}


def _section_of(name: str, keys: Collection[str]) -> str:
    """The one section called ``name``, or else the one that has all the ``keys``; empty when there is none."""
    sections = {path: section_at(path) for path in schema_sections() if path}
    same = [path for path in sections if path[-1] == name]
    same = same or [path for path, found in sections.items() if found and set(keys) <= found.model_fields.keys()]
    return ".".join(same[0]) if len(same) == 1 else ""


def other_home(name: str, value: object = None) -> str:
    """The dotted key that ``name`` means somewhere else in the schema; empty when there is none or several.

    A table can only be another section.
    """
    if isinstance(value, dict) and value:
        return _section_of(name, value.keys())
    if name in INNER_KEYS:
        return ""
    alias = aliases().get(name)
    if alias:
        return alias
    same = [field.dotted for path, field in schema_fields().items() if path[-1] == name]
    if not same:
        close = nearest(name, {path[-1] for path in schema_fields()} | {path[-1] for path in schema_sections() if path})
        same = [".".join(path) for path in (*schema_fields(), *schema_sections()) if path and path[-1] == close]
    return same[0] if len(same) == 1 else ""


def _listing(parent: Location, known: tuple[str, ...]) -> tuple[str, ...]:
    where = f"`{dotted(parent)}`" if parent else "a spec"
    return (f"{where} has: {', '.join(known)}",) if known else ()
