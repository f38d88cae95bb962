"""``[sweep]`` as it was written: its method, and the values that each parameter takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.directives import RESERVED
from cfgc.origin import Origin, Path, Value, dotted
from cfgc.patch import Tree
from cfgc.schema.sweep import Sweep
from cfgc.sweep import errors
from cfgc.sweep.asked import TABLE
from cfgc.sweep.draws import Range
from cfgc.sweep.ranges import PARTS, range_of
from cfgc.sweep.settings import Setting, element, key_parts, parts_of
from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.schema_check import Refused, check_section

if TYPE_CHECKING:
    from cfgc.resolve.resolved import Resolved
    from cfgc.source import Span

PARAMETERS: Final = (TABLE, "parameters")
"""The table whose keys are those of the spec."""

_NEVER: Final = {
    **dict.fromkeys(RESERVED, "it is a directive of files, no key"),
    "sweep": "a point is one run",
    "stages": "each stage is a spec of its own, which can have a sweep",
}
_EXAMPLE: Final = "give it an array: `training.learning_rate = [1e-4, 3e-4, 1e-3]`"


@dataclass(frozen=True)
class Parameter:
    """A key (of one part: an overlay group) and the values that it takes, or the range that they are drawn from."""

    key: Path
    values: tuple[Setting, ...]
    range: Range | None
    place: Setting

    @property
    def name(self) -> str:
        """The dotted key."""
        return dotted(self.key)


@dataclass(frozen=True)
class Declared:
    """A whole sweep: ``points`` are those of the method list, ``parameters`` those of the others."""

    said: Sweep
    place: Span | None
    parameters: tuple[Parameter, ...]
    points: tuple[tuple[Setting, ...], ...]


def read_sweep(resolved: Resolved, tree: Tree) -> Declared:
    """The sweep that ``tree``, the merged layers, declares. Raises ``Rejected`` with everything wrong in it.

    Values are kept as written: a ``${…}`` in one is evaluated in each point.
    """
    said = check_section(resolved, TABLE, Sweep)
    if isinstance(said, Refused):
        raise Rejected(said.findings)
    if any(path[0] == TABLE and len(path) == 2 for path in resolved.unresolved):
        raise Rejected(resolved.findings)
    written = {path[1:]: origin for path, origin in tree.items() if path[0] == TABLE and origin.span}
    place = next(iter(written.values())).key_span
    _check_whole(said, written, place, Remedy(resolved))
    problems: list[Diagnostic] = []
    points = tuple(_point(written[("points",)], index, problems) for index in range(len(said.points or ())))
    found = _parameters({at[1:]: o for at, o in written.items() if at[0] == "parameters"}, said, problems)
    parameters = tuple(sorted(found, key=lambda parameter: _order(parameter.place, tree)))
    if problems:
        raise Rejected(problems)
    return Declared(said, place, parameters, points)


def _order(setting: Setting, tree: Tree) -> tuple[int, int]:
    """As written, whatever tables the keys are in: by file, then by place."""
    names = dict.fromkeys(origin.span.source.logical for origin in tree.values() if origin.span)
    return list(names).index(setting.span.source.logical), setting.key_span.start


def _check_whole(said: Sweep, written: Mapping[Path, Origin], place: Span | None, remedy: Remedy) -> None:
    """CFG650: the method has what it needs, and reads what is there."""
    given = {at[0]: origin.key_span for at, origin in reversed(list(written.items()))}
    if said.method is None:
        fix = one_fix(remedy.set((TABLE, "method"), "grid"))
        example = '`method = "grid"` under `[sweep]`'
        if not {"parameters", "points"} & given.keys():
            example += f", or for a single run remove {' and '.join(f'`sweep.{key}`' for key in given)} too"
        raise Rejected([errors.incomplete("`[sweep]` names no method", place, "", example, fix)])
    method, is_list = said.method, said.method == "list"
    reads = "`list` reads `points`; `grid`, `zip` and `random` read `parameters`; `seed` is for `random`"
    found = [(key, given[key]) for key in ("points",) if key in given and not is_list]
    found += [(key, given[key]) for key in ("parameters",) if key in given and is_list]
    found += [(key, given[key]) for key in ("seed",) if key in given and method != "random"]
    problems = [
        errors.unread(f"sweep.{key}", method, span, reads, one_fix(remedy.drop((TABLE, key)))) for key, span in found
    ]
    needed = "points" if is_list else "parameters"
    if needed not in given or (is_list and not said.points):
        example = (
            '`points = [{ "training.learning_rate" = 1e-3 }]`' if is_list else f"under `[sweep.parameters]`, {_EXAMPLE}"
        )
        problems.append(errors.incomplete(f"a sweep of the method `{method}` needs `{needed}`", place, "", example))
    if method == "random" and said.max_points is None:
        note = "`random` draws as many points as it is told to"
        fix = one_fix(remedy.set((TABLE, "max_points"), 20))
        problems.append(errors.incomplete("a random sweep needs `max_points`", place, note, "`max_points = 20`", fix))
    if problems:
        raise Rejected(problems)


def _point(origin: Origin, index: int, problems: list[Diagnostic]) -> tuple[Setting, ...]:
    table = origin.value[index] if isinstance(origin.value, list) else {}
    assert isinstance(table, dict), "the schema has checked it"
    found = []
    for at, key in parts_of(table, (index,)):
        setting = element(origin, at, key or (str(at[-1]),))
        problem = _refused(key, setting)
        problems += [problem] if problem else []
        found.append(setting)
    found.sort(key=lambda setting: setting.key_span.start)
    if not found:
        problems.append(errors.no_values("sweep.points", "has a point that sets nothing", origin.span, "take it out"))
    return tuple(found)


def _parameters(written: Mapping[Path, Origin], said: Sweep, problems: list[Diagnostic]) -> Iterator[Parameter]:
    ranges: dict[Path, dict[str, Origin]] = {}
    for at, origin in written.items():
        if isinstance(origin.value, list) or at[-1] not in PARTS or len(at) == 1:
            continue
        ranges.setdefault(at[:-1], {})[at[-1]] = origin
    for at, origin in written.items():
        if at[:-1] in ranges and at[-1] in ranges[at[:-1]]:
            if at[-1] == next(iter(ranges[at[:-1]])):
                yield from _range(at[:-1], ranges[at[:-1]], said, problems)
            continue
        yield from _listed(at, origin, problems)


def _listed(at: Path, origin: Origin, problems: list[Diagnostic]) -> Iterator[Parameter]:
    key = _key(at)
    place = element(origin, (), key or at)
    problem = _refused(key, place)
    if problem is None and not isinstance(origin.value, list):
        problem = errors.no_values(dotted(at), "is no array of values", origin.span, _EXAMPLE)
    elif problem is None and not origin.value:
        problem = errors.no_values(dotted(at), "has no values", origin.span, _EXAMPLE)
    if problem is not None or key is None or not isinstance(origin.value, list):
        problems += [problem] if problem else []
        return
    values = tuple(element(origin, (position,), key) for position in range(len(origin.value)))
    wrong = next((v for v in values if v.is_overlay and not _names_an_option(v.value)), None)
    if wrong:
        example = f'options are names: `{key[0]} = ["2", "3"]`'
        problems.append(
            errors.no_values(dotted(key), "is an overlay group, so its values are options", wrong.span, example)
        )
        return
    yield Parameter(key, values, None, place)


def _range(at: Path, said: Mapping[str, Origin], sweep: Sweep, problems: list[Diagnostic]) -> Iterator[Parameter]:
    key = _key(at)
    first = next(iter(said.values()))
    place = element(first, (), key or at)
    problem = _refused(key, place)
    if problem is None and sweep.method != "random":
        message = f"is a range, and `{sweep.method}` takes arrays"
        problem = errors.no_values(dotted(at), message, first.span, f'{_EXAMPLE}, or `method = "random"`')
    found = None if problem else range_of(dotted(at), said)
    if isinstance(found, Range) and key is not None:
        yield Parameter(key, (), found, place)
    else:
        problems += [one for one in (problem, found) if isinstance(one, Diagnostic)]


def _refused(key: Path | None, place: Setting) -> Diagnostic | None:
    """CFG658, where no point can set ``key``."""
    if key is None:
        return errors.no_parameter(
            dotted(place.key), "it is no dotted key", place.key_span, ("as in `training.max_steps`",)
        )
    why = _NEVER.get(key[0])
    return errors.no_parameter(dotted(key), why, place.key_span, ("take it out of the sweep",)) if why else None


def _key(at: Path) -> Path | None:
    """The key that the parts of a table lead to, dotted ones among them taken apart."""
    parts = [key_parts(part) for part in at]
    return None if None in parts else tuple(name for part in parts for name in part or ())


def _names_an_option(value: Value) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) != ""
