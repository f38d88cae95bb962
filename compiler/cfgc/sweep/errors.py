"""What is wrong with a sweep itself; what is wrong with a point, the rules say."""

from __future__ import annotations

from collections.abc import Sequence

from cfgc.deepspeed.wording import count
from cfgc.diagnostics import Diagnostic, Label
from cfgc.diagnostics.model import Fix
from cfgc.source import Span

Fixes = tuple[Fix, ...]


def incomplete(message: str, place: Span | None, note: str, example: str, fixes: Fixes = ()) -> Diagnostic:
    """CFG650: no method, or not what the method needs."""
    return Diagnostic("CFG650", message, _label(place), notes=(note,) if note else (), helps=(example,), fixes=fixes)


def unread(key: str, method: str, place: Span | None, reads: str, fixes: Fixes) -> Diagnostic:
    """CFG650: a key that the method would ignore."""
    return Diagnostic(
        "CFG650",
        f"`{key}` is not read by a sweep of the method `{method}`",
        _label(place),
        notes=(reads, "what would be ignored is refused"),
        helps=(f"remove `{key}`, or choose another `sweep.method`",),
        fixes=fixes,
    )


def no_values(key: str, what: str, place: Span | None, example: str) -> Diagnostic:
    """CFG651: a parameter without values to take."""
    return Diagnostic("CFG651", f"the parameter `{key}` {what}", _label(place), helps=(example,))


def bad_range(key: str, what: str, place: Span | None, example: str) -> Diagnostic:
    """CFG652: a range that nothing can be drawn from."""
    return Diagnostic("CFG652", f"the range of `{key}` {what}", _label(place), helps=(example,))


def unequal(lengths: Sequence[tuple[str, int, Span | None]]) -> Diagnostic:
    """CFG653: zip of lists of several lengths."""
    (first, number, place), *others = lengths
    other = next(one for one in others if one[1] != number)
    return Diagnostic(
        "CFG653",
        f"`zip` takes the first values together, then the second: `{first}` has {number} and `{other[0]}` {other[1]}",
        _label(other[2], count(other[1], "value")),
        tuple(Label(place, count(number, "value")) for place in [place] if place),
        notes=(", ".join(f"`{name}`: {values}" for name, values, _ in lengths),),
        helps=('give each as many values, or combine each with each: `method = "grid"`',),
    )


def too_many(
    sizes: Sequence[tuple[str, int]], count: int, limit: int, accepting: Fixes, place: Span | None
) -> Diagnostic:
    """CFG654: more points than allowed; ``accepting`` raises the limit where that can be."""
    product = " × ".join(str(number) for _, number in sizes)
    shown = f"{product} = {count:,}" if len(sizes) > 1 else f"{count:,}"
    helps = [f"accept so many: `max_points = {count}` under `[sweep]`"] if accepting else []
    return Diagnostic(
        "CFG654",
        f"the sweep has {shown} points, more than {limit:,}",
        _label(place),
        notes=(", ".join(f"`{name}`: {number}" for name, number in sizes),),
        helps=(*helps, 'take fewer values, or draw some: `method = "random"`'),
        fixes=accepting,
    )


def same_runs(pairs: Sequence[tuple[str, str]], count: int, first: Label | None, second: Label | None) -> Diagnostic:
    """CFG655: points that would compute the same. ``pairs`` are some of the ``count``."""
    (one, other), *more = pairs
    also = f" ({count - 1:,} more points repeat another)" if count > 1 else ""
    return Diagnostic(
        "CFG655",
        f"{other} is the same run as {one}{also}",
        second,
        (first,) if first else (),
        notes=tuple(f"{other} is the same run as {one}" for one, other in more[:3]),
        helps=("take the repeated values out; a random sweep may need a finer range, or another `seed`",),
    )


def other_allocation(point: str, base: str, differs: str, first: Label | None, second: Label | None) -> Diagnostic:
    """CFG656: a point that the scripts of the bundle cannot start."""
    return Diagnostic(
        "CFG656",
        f"{point} cannot share the scripts with {base}: {differs}",
        second,
        (first,) if first else (),
        notes=("every point of a sweep runs in an array task of the same shape, started by the same two scripts",),
        helps=("make a bundle of its own for each: one spec a shape, which extends this one",),
    )


def set_twice(key: str, how: str, first: Label | None, second: Label | None, helps: tuple[str, ...]) -> Diagnostic:
    """CFG657: a key that a point sets, and somebody else as well."""
    return Diagnostic("CFG657", f"`{key}` {how}", second, (first,) if first else (), helps=helps)


def no_parameter(key: str, why: str, place: Span | None, helps: tuple[str, ...]) -> Diagnostic:
    """CFG658: a key that no point can set."""
    return Diagnostic("CFG658", f"`{key}` cannot be swept: {why}", _label(place), helps=helps)


def chained(place: Span | None, chain: Span | None, fixes: Fixes) -> Diagnostic:
    """CFG659: array tasks cannot wait for one another by name."""
    return Diagnostic(
        "CFG659",
        "a sweep cannot be chained: `cluster.chain` tells jobs apart by their name, and all points have the same",
        _label(chain or place),
        (Label(place, "the sweep"),) if place and chain else (),
        notes=("without a chain a point that was stopped is queued again, or started again by hand",),
        helps=("`chain = false` under `[cluster]`",),
        fixes=fixes,
    )


def _label(span: Span | None, text: str = "") -> Label | None:
    return Label(span, text) if span else None
