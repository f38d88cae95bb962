"""Bounds and choices of a key, and the value within them that is nearest."""

from __future__ import annotations

from cfgc.deepspeed.config import Json
from cfgc.deepspeed.structure.kinds import kinds_of
from cfgc.deepspeed.structure.wording import shown
from cfgc.deepspeed.table import MISSING, Key
from cfgc.nearest import nearest

_SHORT = {"float16": "fp16", "half": "fp16", "bfloat16": "bf16", "float32": "fp32", "float": "fp32"}
"""Names that torch has for what DeepSpeed calls otherwise."""


def out_of_bounds(key: Key, value: Json) -> tuple[str, Json]:  # noqa: PLR0911 - one for each bound
    """What the value has to be, and the nearest such value; nothing when it is."""
    wrong = next((x for x in (value if isinstance(value, list) else [value]) if not chosen(key, x)), MISSING)
    if wrong is not MISSING:
        each = "holds only" if isinstance(value, list) else "is one of"
        return f"{each} {', '.join(map(shown, key.choices))}", _nearest_choice(key, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "", None
    if key.minimum is not None and value < key.minimum:
        return f"is at least {key.minimum:.17g}", _raised(key, key.minimum, value)
    if key.maximum is not None and value > key.maximum:
        return f"is at most {key.maximum:.17g}", key.maximum
    if key.above is not None and value <= key.above:
        return f"is greater than {key.above:.17g}", default_of(key)
    if key.below is not None and value >= key.below:
        return f"is less than {key.below:.17g}", default_of(key)
    return "", None


def _raised(key: Key, bound: float, value: float) -> Json:
    """The number without its sign, MISSING where none is needed, the default, or the bound."""
    if value < 0 and bound <= -value < 2**63:
        return -value
    if key.default is None and "null" in key.kinds:
        return MISSING
    default = default_of(key)
    return (int(bound) if float(bound).is_integer() else bound) if default is MISSING else default


def chosen(key: Key, value: Json) -> bool:
    """Whether ``value`` is a choice, or of a kind that has none."""
    alike = [choice for choice in key.choices if kinds_of(choice) & kinds_of(value)]
    return not alike or any(_same(key, value, choice) for choice in alike)


def _same(key: Key, value: Json, choice: Json) -> bool:
    if key.any_case and isinstance(value, str) and isinstance(choice, str):
        return value.lower() == choice.lower()
    return bool(value == choice)


def _nearest_choice(key: Key, value: Json) -> Json:
    if isinstance(value, list):
        return [x for x in value if chosen(key, x)]
    if isinstance(value, str):
        value = _SHORT.get(value.lower().removeprefix("torch."), value)
        near = nearest(value, [choice for choice in key.choices if isinstance(choice, str)])
        return near or default_of(key)
    numbers = [choice for choice in key.choices if isinstance(choice, int | float)]
    return min(numbers, key=lambda choice: abs(choice - value)) if numbers else default_of(key)


def default_of(key: Key) -> Json:
    """The default as a value to write; MISSING when there is none to write."""
    return MISSING if key.default is None else key.default
