"""origins.json: how every value of values.json came about, as data.

Each key has its steps, newest first::

    "training.warmup_steps": [
      {"layer": "command line", "value": 200},
      {"layer": "spec specs/a.toml", "text": "${training.max_steps // 50}"},
      {"layer": "base cfgc:bases/base.toml", "unset": true},
      {"layer": "default", "value": 0}
    ]

``value`` is what the layer gave, ``text`` what it wrote where that is computed; a text that was replaced was never
computed, and has no value. ``derived`` in place of a layer is what the compiler computed the value from. ``of`` is the
key that the layer gave one value where a table came to stand: ``launch.run_dir`` for ``launch.run_dir.env``. No line
numbers: a comment edited in a base must not change a bundle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress

from cfgc.diagnostics.masking import hidden
from cfgc.emit.canonical import json_of
from cfgc.emit.values_json import Place, places
from cfgc.lower.plan import AnyPlan, Json, Provenance
from cfgc.origin import Origin, Value
from cfgc.resolve.template import Hole, UnclosedError, parse_template

NAME = "origins.json"

Step = dict[str, Json]
"""One layer's word on a value."""


def origins_json(plan: AnyPlan) -> str:
    """The text of origins.json: a key's only step on its line, several on lines of their own."""
    entries = (f"  {_json(key)}: {_written(steps)}" for key, steps in sorted(origins_of(plan).items()))
    return "{\n" + ",\n".join(entries) + "\n}\n"


def origins_of(plan: AnyPlan) -> dict[str, list[Step]]:
    """Its content: the keys are those of values.json."""
    return {
        _key(line, place): list(_steps(line, place, value))
        for line in plan.review.provenance
        for place, value in places(json_of(line.value))
    }


def _key(line: Provenance, place: Place) -> str:
    return ".".join(map(str, (*line.path, *place)))


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _written(steps: list[Step]) -> str:
    lines = [_json(step) for step in steps]
    return f"[{lines[0]}]" if len(lines) == 1 else "[\n    " + ",\n    ".join(lines) + "\n  ]"


def _steps(line: Provenance, place: Place, value: Json) -> Iterator[Step]:
    chain = line.origin.chain() if line.origin else ()
    origins = [origin for origin in chain if not _is_of_a_lower_layer(origin, place)]
    if line.derived or not origins:
        yield {"derived": line.derived, "value": value}
    else:
        newest = origins.pop(0)
        yield {"layer": str(newest.layer), "value": value, **_text(newest, place, value)}
    for origin in origins:
        if origin.removed:
            yield {"layer": str(origin.layer), "unset": True}
        else:
            yield from _replaced(origin, line, place)


def _text(origin: Origin, place: Place, value: Json) -> Step:
    """What was written, where ``value`` is what it came to."""
    depth, written = _at(origin.value, place)
    return {"text": written} if depth == len(place) and isinstance(written, str) and written != value else {}


def _replaced(origin: Origin, line: Provenance, place: Place) -> Iterator[Step]:
    """What a lower layer had at ``place``; nothing where its table or array does not reach so far."""
    depth, written = _at(origin.value, place)
    if depth < len(place) and isinstance(written, dict | list):
        return
    said = {"layer": str(origin.layer)}
    name = next(part for part in reversed((*line.path, *place[:depth])) if isinstance(part, str))
    shown = _plain(hidden(written, name))
    key = {"of": _key(line, place[:depth])} if depth < len(place) else {}
    yield {**said, **key, ("text" if _is_computed(written) else "value"): shown}


def _at(value: Value, place: Place) -> tuple[int, Value]:
    """How far ``value`` reaches down to ``place``, and what is there."""
    for depth, part in enumerate(place):
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return depth, value
    return len(place), value


def _is_of_a_lower_layer(origin: Origin, place: Place) -> bool:
    """Whether ``origin`` appended to an array that had this element already."""
    below = origin.replaced
    return below is not None and place in origin.inner and origin.inner[place] == below.inner.get(place)


def _is_computed(value: Value) -> bool:
    if isinstance(value, str):
        with suppress(UnclosedError):
            return any(isinstance(piece, Hole) for piece in parse_template(value))
    return False


def _plain(value: object) -> Json:
    """What a replaced value is in JSON, which has no dates."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)
