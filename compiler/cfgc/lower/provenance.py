"""The lines of resolved.toml: every value of the spec and what it follows from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics.masking import hidden
from cfgc.lower.derived import derived_values
from cfgc.lower.plan import Provenance
from cfgc.schema.belonging import belongs
from cfgc.schema.catalogue import schema_positions

if TYPE_CHECKING:
    from cfgc.lower.plan import AnyPlan
    from cfgc.origin import Leaf, Origin, Path
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import AnySpec

_OF_PIPELINES = ("stages",)
"""What no run has."""

LONGEST = 60
"""Characters of a replaced value that a comment shows."""


def provenance(spec: AnySpec, resolved: Resolved, plan: AnyPlan) -> tuple[Provenance, ...]:
    """One entry per resolved leaf and per derived value, in the order of the schema.

    Derived values are valid keys of a spec, and a spec that has them gives the same plan. Defaults of keys that belong
    to another kind of their table are left out: they are not read.
    """
    said = (
        Provenance(path, leaf.value, comment(leaf, path[-1]), leaf.origin)
        for path, leaf in resolved.leaves.items()
        if path != _OF_PIPELINES and belongs(path, resolved)
    )
    return tuple(sorted((*said, *_derived(spec, resolved, plan)), key=lambda entry: _position(entry.path)))


def _position(path: Path) -> int:
    """Where the schema declares ``path``, or the table of free keys that holds it."""
    places = schema_positions()
    return next(places[path[:length]] for length in range(len(path), 0, -1) if path[:length] in places)


def comment(leaf: Leaf, name: str = "") -> str:
    """The layer that gave the value and what it replaced: ``overlay zero=2, over base cfgc:bases/base.toml (4)``.

    A default that is back says why: ``default, unset by command line, over spec a.toml (4)``.
    A value that was computed in the spec says how: ``base cfgc:bases/base.toml: ${training.max_steps // 20}``.
    No line numbers: a comment edited in a base must not change a bundle. ``name`` is the key: what is replaced may be a
    secret by it.
    """
    origin = leaf.origin
    said = str(origin.layer)
    if isinstance(origin.value, str) and origin.value != leaf.value:
        said += f": {shown(origin.value)[1:-1]}"
    replaced = origin.replaced
    if replaced and replaced.removed:
        said += f", unset by {replaced.layer}" if replaced.layer != origin.layer else ""
        replaced = replaced.replaced
    if replaced is None or replaced.layer.kind == "default":
        return said
    return f"{said}, over {_described(replaced, name)}"


def _described(origin: Origin, name: str) -> str:
    return f"{origin.layer} ({shown(hidden(origin.value, name))})"


def shown(value: object) -> str:
    """A value in a comment: one short line, as TOML writes it where that is short."""
    text = _toml(value).replace("\n", " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
        case _:
            return str(value)


def _derived(spec: AnySpec, resolved: Resolved, plan: AnyPlan) -> Iterator[Provenance]:
    for dotted, value, reason in derived_values(spec, plan):
        path = tuple(dotted.split("."))
        yield Provenance(path, value, f"derived: {reason}", resolved.removed.get(path), reason)
