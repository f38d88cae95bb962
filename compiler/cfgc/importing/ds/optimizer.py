"""The optimizer of a ds_config."""

from __future__ import annotations

from collections.abc import Iterator

from cfgc.deepspeed.case import Case, path_of
from cfgc.deepspeed.config import AUTO, Json
from cfgc.importing.ds.schedule import peak_rate
from cfgc.importing.items import YOURS, Dropped, Item, Raw, Setting, came_from

TYPE, RATE = "training.optimizer.type", "training.learning_rate"
PARAMS = "optimizer.params"
_ADAMS = ("adam", "adamw")
_DEFAULTS: dict[str, dict[str, Json]] = {
    "adamw": {"betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0},
    "adam": {"betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0},
    "sgd": {"momentum": 0.0, "weight_decay": 0.0},
    "lion": {"betas": [0.9, 0.999], "weight_decay": 0.0},
    "adagrad": {"eps": 1e-10, "weight_decay": 0.0},
}
"""What DeepSpeed's own Adam, Lion and CPU Adagrad, and torch's SGD and Adagrad take for one that is left out."""

_TORCH_ADAMW_DECAY = 0.01
"""torch's AdamW decays by default, DeepSpeed's does not."""

_DEFAULT_RATES = {"adagrad": 1e-2}
_DEFAULT_RATE = 1e-3
"""Of Adam and Lion, in DeepSpeed and in torch; of torch's SGD since 2.1."""

_WITHOUT_ZERO = ("lamb", "muon")
"""What the runtime has where ZeRO is off."""

_OWN = ("lr", "betas", "eps", "momentum", "weight_decay", "torch_adam", "adam_w_mode")
_TORCH_FLAGS: dict[str, tuple[str, ...]] = {
    "adamw": ("amsgrad",), "adam": ("amsgrad",), "sgd": ("nesterov", "dampening"), "lion": (), "adagrad": ()
}  # fmt: skip
"""Arguments of the runtime's optimizers that have no key of their own."""


def optimizer(case: Case) -> Iterator[Item]:
    """``training.optimizer`` and the peak learning rate."""
    entry = case.config.get(path_of("optimizer"))
    if entry is None or not isinstance(entry.value, dict):
        yield from _of_the_script(entry is not None)
        return
    name, comment, grade = _nearest(case)
    yield Setting(TYPE, name, comment, (path_of("optimizer.type"),), "doubtful" if grade else "converted")
    yield from _rate(case)
    yield from _parameters(case, name)
    yield from _others(case, name)


def _of_the_script(written: bool) -> Iterator[Item]:
    """No optimizer: the training script made its own."""
    comment = f"check: the optimizer is {YOURS}"
    sources = (path_of("optimizer"),) if written else ()
    yield Setting(TYPE, "adamw", comment, sources, "doubtful")
    yield Setting(RATE, 3e-4, YOURS, (), "placeholder")


def _nearest(case: Case) -> tuple[str, str, bool]:
    """The spec's type, the comment, and whether it is another optimizer than the file's."""
    written = case.text("optimizer.type") or ""
    known = written.lower()
    if known == "adamw":
        return "adamw", came_from("optimizer.type"), False
    if known == "adam":
        if case.value(f"{PARAMS}.adam_w_mode") is False:
            return "adam", came_from("optimizer.type, with adam_w_mode = false"), False
        return "adamw", "from optimizer.type: DeepSpeed makes AdamW of Adam unless adam_w_mode is false", False
    if known in ("sgd", "lion", "adagrad"):
        return known, came_from("optimizer.type"), False
    near = "adam" if known in ("onebitadam", "zerooneadam") else "adamw"
    what = f"the file's optimizer is {written}" if written else "the optimizer has no type"
    lacks = "has without ZeRO only" if known in _WITHOUT_ZERO else "does not have"
    return near, f"check: {what}, which the runtime {lacks}; this is the nearest, and trains differently", True


def _rate(case: Case) -> Iterator[Item]:
    """The scheduler's peak where it has one, since DeepSpeed's schedulers overwrite the optimizer's rate."""
    dotted = f"{PARAMS}.lr"
    entry = case.config.get(path_of(dotted))
    sources = (path_of(dotted),) if entry else ()
    peak = peak_rate(case)
    if peak is not None:
        sources = (*sources, path_of("scheduler.params.warmup_max_lr"))
        yield Setting(RATE, peak, "from scheduler.params.warmup_max_lr, which overwrites optimizer.params.lr", sources)
    elif entry is None:
        rate = _DEFAULT_RATES.get((case.text("optimizer.type") or "").lower(), _DEFAULT_RATE)
        yield Setting(RATE, rate, f"{dotted} is absent: the optimizer's default", (), "default")
    elif entry.value == AUTO:
        yield Setting(RATE, 3e-4, f'{dotted} is "auto": {YOURS}', sources, "placeholder")
    else:
        yield Setting(RATE, entry.value, came_from(dotted), sources)


def _parameters(case: Case, name: str) -> Iterator[Item]:
    for parameter, default in _DEFAULTS[name].items():
        dotted = f"{PARAMS}.{parameter}"
        entry = case.config.get(path_of(dotted))
        key = f"training.optimizer.{parameter}"
        sources = (path_of(dotted),) if entry else ()
        if entry is not None and entry.value not in (AUTO, None):
            yield Setting(key, entry.value, came_from(dotted), sources)
        else:
            value = _TORCH_ADAMW_DECAY if parameter == "weight_decay" and _is_torch_adamw(case, name) else default
            what = f'{dotted} is "auto": {YOURS}' if entry else f"{dotted} is absent: the optimizer's default"
            yield Setting(key, value, what, sources, "placeholder" if entry else "default")
    if case.number(f"{PARAMS}.weight_decay") or _is_torch_adamw(case, name):
        comment = "DeepSpeed decays every parameter that it is given; the training script may group them"
        yield Setting("training.optimizer.decay_norm_and_bias", True, f"check: {comment}", (), "doubtful")


def _is_torch_adamw(case: Case, name: str) -> bool:
    return name == "adamw" and case.flag(f"{PARAMS}.torch_adam")


def _others(case: Case, name: str) -> Iterator[Item]:
    """Parameters without a key of the spec."""
    for parameter, entry in case.config.below(path_of(PARAMS)):
        path = (*path_of(PARAMS), parameter)
        if parameter in ("torch_adam", "adam_w_mode"):
            yield Dropped(path, "the runtime always uses torch's optimizers, and the type says the rest", entry.value)
        elif parameter in _OWN:
            if parameter != "lr" and parameter not in _DEFAULTS[name]:
                yield Dropped(path, f"{name} does not read it", entry.value)
        elif parameter in _TORCH_FLAGS[name]:
            yield Raw(path, entry.value)
        elif entry.value in (None, AUTO):
            yield Dropped(path, "it has no value in the file", entry.value)
        elif _is_default(case, parameter, entry.value):
            yield Dropped(path, "it is the optimizer's default", entry.value)
        else:
            yield Dropped(path, f"torch's {name} has no such argument", entry.value, doubtful=True)
    if (fusion := case.config.get(path_of("optimizer.legacy_fusion"))) is not None:
        yield Dropped(path_of("optimizer.legacy_fusion"), "the runtime's optimizers have no other fusion", fusion.value)


def _is_default(case: Case, parameter: str, value: Json) -> bool:
    known = case.release.optimizers.get((case.text("optimizer.type") or "").lower())
    return known is not None and parameter in known.parameters and known.parameters[parameter] == value
