"""Learning-rate schedules of other tools as the spec has them."""

from __future__ import annotations

from cfgc.deepspeed.config import Json
from cfgc.importing.tree_keys import Ask, Converted, UnusableError

_SHAPES = {
    **dict.fromkeys(("cosineannealing", "cosine", "cosine_with_warmup", "warmupcosinelr"), "cosine"),
    **dict.fromkeys(("warmupannealing", "linear", "warmupdecaylr"), "linear"),
    **dict.fromkeys(("polynomial", "polynomiallr", "polynomialdecayannealing"), "polynomial"),
    **dict.fromkeys(("constant", "constant_with_warmup", "warmuppolicy", "warmupholdpolicy", "warmuplr"), "constant"),
    "cosineannealinglr": "cosine",
    "linearlr": "linear",
    "constantlr": "constant",
}
_SET_UP = {
    **dict.fromkeys(("step", "steplr", "multisteplr"), ("step", "`step_size` or `milestones`")),
    **dict.fromkeys(("wsd", "warmup_stable_decay"), ("wsd", "`decay_steps`")),
}
"""Schedules that a spec has, and what it needs to know of them."""


def scheduler(value: Json, ask: Ask) -> Converted | None:
    """The shape of the decay."""
    name = str(value).lower()
    if name in _SHAPES:
        return Converted(_SHAPES[name])
    if name in _SET_UP:
        kind, needed = _SET_UP[name]
        return Converted("constant", f'{value} is `type = "{kind}"` with {needed}; this holds the rate', doubtful=True)
    return Converted("constant", f"the runtime does not have {value}; this holds the rate", doubtful=True)


def power(value: Json, ask: Ask) -> Converted | None:
    """Of a polynomial; other schedules do not read it."""
    shapes = [_SHAPES.get(str(ask(f"{table}.name")).lower()) for table in ("model.optim.sched", "optim.sched")]
    return Converted(value) if "polynomial" in shapes else None


def warmup_share(value: Json, ask: Ask) -> Converted | None:
    """A share of the steps."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnusableError("it is no share of the steps")
    return Converted(f"${{round(training.max_steps * {value!r})}}", expression=True) if value else None
