"""Which strings hold ``${…}``, what they refer to, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.origin import Origin, Path, Value, dotted
from cfgc.resolve import errors
from cfgc.resolve.expression import Expression, ExpressionError, Reference, evaluate, parse_expression
from cfgc.resolve.literal import inside
from cfgc.resolve.template import Hole, UnclosedError, parse_template
from cfgc.source import Span

Location = tuple[str | int, ...]

MAX_TEXT = 65_536
"""Characters of one text after interpolation."""
MAX_NODES = 10_000
"""Values in one array or table after interpolation."""


MAX_HOLES = 2_000
"""``${…}`` of one spec."""
MAX_TEXTS = 1 << 22
"""Characters of all interpolated values together."""


@dataclass(frozen=True)
class Place:
    """A string of the merged tree: the key, the position in its value, and the origin."""

    key: Path
    at: Location
    origin: Origin

    def __str__(self) -> str:
        return dotted(self.key) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.at)

    def span(self, text: str, start: int, end: int) -> Span | None:
        """Characters ``start`` to ``end`` of this string; None in a default."""
        whole = self.origin.inner.get(self.at) if self.at else self.origin.span
        return inside(whole, text, start, end) if whole else self.origin.span


@dataclass(frozen=True)
class Template:
    """A string with at least one ``${`` or ``$${``, parsed."""

    place: Place
    text: str
    pieces: tuple[str | tuple[Hole, Expression], ...]

    def references(self) -> Iterator[tuple[Reference, Callable[[], Span | None]]]:
        """Every key that it names, and how to find where."""
        for piece in self.pieces:
            if not isinstance(piece, str):
                hole, expression = piece
                for reference in expression.references.values():
                    yield reference, partial(self.span, hole, reference.start, reference.end)

    def span(self, hole: Hole, start: int, end: int) -> Span | None:
        """Characters ``start`` to ``end`` of the expression in ``hole``."""
        return self.place.span(self.text, hole.inside + start, hole.inside + end)


@dataclass(frozen=True)
class Templates:
    """The templates in one leaf's value, by position; and what is wrong with those that can't be parsed."""

    by_position: Mapping[Location, Template]
    problems: tuple[Diagnostic, ...]


def templates_of(key: Path, origin: Origin) -> Templates:
    """The templates in ``origin``'s value."""
    found: dict[Location, Template] = {}
    problems: list[Diagnostic] = []
    for at, text in _strings(origin.value, ()):
        if "${" in text:
            try:
                found[at] = _template(Place(key, at, origin), text)
            except Rejected as rejected:
                problems += rejected.diagnostics
    return Templates(MappingProxyType(found), tuple(problems))


def count_holes(templates: Templates) -> int:
    """How many ``${…}`` are in one leaf's value, those that can't be parsed included."""
    holes = sum(not isinstance(piece, str) for found in templates.by_position.values() for piece in found.pieces)
    return holes + len(templates.problems)


def fill(value: Value, templates: Mapping[Location, Template], lookup: Callable[[Reference], Value]) -> Value:
    """``value`` with its templates evaluated. Raises ``Rejected``."""
    return _filled(value, (), templates, lookup) if templates else value


def _strings(value: Value, at: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _strings(child, (*at, position))
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _strings(child, (*at, key))


def _template(place: Place, text: str) -> Template:
    try:
        pieces = parse_template(text)
    except UnclosedError as error:
        raise Rejected([errors.unclosed(str(place), place.span(text, error.start, error.start + 2))]) from None
    parsed: list[str | tuple[Hole, Expression]] = []
    problems: list[Diagnostic] = []
    for piece in pieces:
        try:
            parsed.append(piece if isinstance(piece, str) else (piece, parse_expression(piece.text)))
        except ExpressionError as error:
            assert isinstance(piece, Hole)
            span = place.span(text, piece.inside + error.start, piece.inside + error.end)
            problems.append(errors.expression(error, str(place), piece.text, span))
    if problems:
        raise Rejected(problems)
    return Template(place, text, tuple(parsed))


def _filled(
    value: Value, at: Location, templates: Mapping[Location, Template], lookup: Callable[[Reference], Value]
) -> Value:
    if isinstance(value, str):
        return _evaluated(templates[at], lookup) if at in templates else value
    if isinstance(value, list):
        return [_filled(child, (*at, position), templates, lookup) for position, child in enumerate(value)]
    if isinstance(value, dict):
        return {key: _filled(child, (*at, key), templates, lookup) for key, child in value.items()}
    return value


def _evaluated(template: Template, lookup: Callable[[Reference], Value]) -> Value:
    values = [piece if isinstance(piece, str) else _hole(template, *piece, lookup) for piece in template.pieces]
    if len(values) == 1 and not isinstance(template.pieces[0], str):
        return values[0]
    texts = [_as_text(template, piece, value) for piece, value in zip(template.pieces, values, strict=True)]
    if sum(map(len, texts)) > MAX_TEXT:
        whole = template.place.span(template.text, 0, len(template.text))
        raise Rejected([errors.text_too_long(str(template.place), MAX_TEXT, whole)])
    return "".join(texts)


def _hole(template: Template, hole: Hole, expression: Expression, lookup: Callable[[Reference], Value]) -> Value:
    try:
        return evaluate(expression, lookup)
    except ExpressionError as error:
        span = template.span(hole, error.start, error.end)
        known = _values_of(expression, lookup) if error.kind in {"arithmetic", "size"} else ()
        raise Rejected([errors.expression(error, str(template.place), hole.text, span, known)]) from None


def _values_of(expression: Expression, lookup: Callable[[Reference], Value]) -> tuple[str, ...]:
    """``training.max_steps = 1000`` for each number that ``expression`` refers to."""
    numbers = [(reference, lookup(reference)) for reference in expression.references.values()]
    return tuple(
        dict.fromkeys(f"{errors.shown(ref.path)} = {value}" for ref, value in numbers if isinstance(value, int | float))
    )


def _as_text(template: Template, piece: str | tuple[Hole, Expression], value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        assert not isinstance(piece, str)
        hole, _ = piece
        raise Rejected([errors.not_a_text(hole.text, value, template.place.span(template.text, hole.start, hole.end))])
    return str(value)


def text_size(value: Value) -> int:
    """Characters of all texts in ``value``."""
    if isinstance(value, str):
        return len(value)
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return sum(map(text_size, inner))


def larger_than(value: Value, limit: int) -> bool:
    """Whether ``value`` holds more than ``limit`` values, itself and those inside it counted."""
    waiting = [value]
    count = 0
    while waiting:
        count += 1
        if count > limit:
            return True
        inner = waiting.pop()
        if isinstance(inner, list):
            waiting += inner
        elif isinstance(inner, dict):
            waiting += inner.values()
    return False
