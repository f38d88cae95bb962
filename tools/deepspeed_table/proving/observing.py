"""What the installed DeepSpeed does, key by key: all that the table says, seen without the table's help.

Only where to look comes from a table: which sections there are. A section that it lacks is noticed when DeepSpeed asks
for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cfgc.deepspeed.table import MISSING, Key, Release

from .models import FieldSeen, fields_of, forbids, is_old
from .named import NamedSeen, optimizers_seen, schedulers_seen
from .parsing import alone, attributes, nested, parse, refusal, sections_of_models
from .probing import PROBES, other_value
from .recording import Asked, Path, Recorder

UNKNOWN_KEY = "cfgc_key_of_nobody"


@dataclass
class Observed:
    """What was seen of one installed release."""

    asked: dict[Path, list[Any]] = field(default_factory=dict)
    models: dict[Path, dict[str, FieldSeen]] = field(default_factory=dict)
    forbids: dict[Path, bool] = field(default_factory=dict)
    defaults: dict[Path, list[Any]] = field(default_factory=dict)
    takes: dict[Path, list[tuple[Any, bool]]] = field(default_factory=dict)
    nulls: dict[Path, bool] = field(default_factory=dict)
    texts: dict[Path, set[str]] = field(default_factory=dict)
    refused: dict[Path, bool] = field(default_factory=dict)
    optimizers: dict[str, NamedSeen] = field(default_factory=dict)
    schedulers: dict[str, NamedSeen] = field(default_factory=dict)


def installed_version() -> str:
    """The release of DeepSpeed that is installed."""
    import deepspeed

    return str(deepspeed.__version__).partition("+")[0]


def observe(release: Release) -> Observed:
    """Look at every section that ``release`` knows, and at all that DeepSpeed asks for besides."""
    seen = Observed()
    with alone():
        everything = _every_section(release)
        asked, marked = Asked(), sections_of_models(everything)
        parse(Recorder(everything, asked))
        _switched_on(release, asked)
        for name, default in parse({}).pipeline.items():
            asked.ask(("pipeline", name), default)  # the config's keys are put over these one by one
        seen.asked = asked.keys
        for path in sections(release):
            if release.keys[path].alias_of:
                marked.update(sections_of_models(nested(path, {})))
        for path, model in marked.items():
            seen.models[path] = fields_of(model)
            seen.forbids[path] = forbids(model)
            for name in () if is_old(model) else {name for one in seen.models[path].values() for name in one.names}:
                tried = [*PROBES, *(_texts(release) if _chooses(release, (*path, name)) else ())]
                seen.takes[(*path, name)] = [(value, _taken(model, name, value)) for value in tried]
        for path in sections(release):
            if path[:-1] not in seen.models:
                seen.nulls[path] = refusal(nested(path, None)) is None
            if path not in seen.forbids and (content := _good_content(path)) is not None:
                seen.forbids[path] = refusal(nested(path, {**content, UNKNOWN_KEY: 1})) is not None
        for key in _raw_keys(release, seen):
            _watch(key, seen)
            _read_texts(key.path, seen, _texts(release))
        seen.refused = {path: refusal(nested(path, {})) is not None for path in _refusable(release)}
    seen.optimizers, seen.schedulers = optimizers_seen(), schedulers_seen()
    return seen


def sections(release: Release) -> list[Path]:
    """The tables that a release reads, outermost first."""
    found = [path for path, key in release.keys.items() if "table" in key.kinds and not key.refused]
    return sorted(found, key=len)


def _every_section(release: Release) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for path in sections(release):
        key = release.keys[path]
        if not key.alias_of and not (key.free and key.default is not MISSING):
            place = config
            for name in path:
                place = place.setdefault(name, {})
    for name, content in config.items():
        if refusal({name: content}) is not None:
            content["enabled"] = False  # some sections must say so
    return config


def _good_content(path: Path) -> dict[str, Any] | None:
    """As little as DeepSpeed takes in a table; None when it wants more than can be thought of."""
    tries: list[dict[str, Any]] = [{}, {"enabled": False}]
    return next((content for content in tries if refusal(nested(path, content)) is None), None)


def _switched_on(release: Release, asked: Asked) -> None:
    """What is asked for only when something is on, or only of a ``bool`` in place of a table."""
    curriculum = {"enabled": True, "curriculum_metrics": {}}
    batching = {"enabled": True, "max_tokens": 1, "max_batch_size": 1}
    routing = {"enabled": True, "random_ltd": {"enabled": True}}
    sampling = {"enabled": True, "curriculum_learning": curriculum, "dynamic_batching": batching}
    more: list[dict[str, Any]] = [
        {"data_efficiency": {"enabled": True, "data_sampling": sampling, "data_routing": routing}},
        {"zero_optimization": True},
        {"optimizer": {"type": "Adam", "params": {}}, "scheduler": {"type": "WarmupLR", "params": {}}},
        {"torch_autocast": {"enabled": True, "dtype": "bf16", "lower_precision_safe_modules": []}},
        {"expert_parallel": {"enabled": False}, "amp": {"enabled": True}, "curriculum_learning": curriculum},
        {"progressive_layer_drop": {"enabled": True}, "fp16": {"enabled": True, "hysteresis": 2}},
        {"elasticity": {"enabled": True, "max_train_batch_size": 8, "micro_batch_sizes": [1], "version": 0.1}},
        {"elasticity": {"enabled": True, "max_train_batch_size": 8, "micro_batch_sizes": [1], "version": 0.2}},
        *({"sparse_attention": {"mode": mode}} for mode in ("dense", "fixed", "variable", "bigbird", "bslongformer")),
        *_compressions(),
        {"quantize_training": {"eigenvalue": {"enabled": True}}, "eigenvalue": {"enabled": True}},
    ]
    for config in more:
        known = {name: value for name, value in config.items() if (name,) in release.keys}
        refusal(Recorder({k: v for k, v in known.items() if not release.keys[(k,)].refused}, asked))


def _compressions() -> Iterator[dict[str, Any]]:
    shared = {"enabled": True, "schedule_offset": 1}
    for method in ("weight_quantization", "activation_quantization", "row_pruning", "channel_pruning"):
        yield {"compression_training": {method: {"shared_parameters": shared, "different_groups": {}}}}
    heads = {**shared, "num_heads": 1}
    yield {"compression_training": {"head_pruning": {"shared_parameters": heads, "different_groups": {}}}}
    snip = {**shared, "method": "snip_momentum", "schedule_offset_end": 2}
    yield {"compression_training": {"sparse_pruning": {"shared_parameters": snip, "different_groups": {}}}}
    yield {"compression_training": {"sparse_pruning": {"shared_parameters": shared, "different_groups": {}}}}
    fp16 = {**shared, "fp16_mixed_quantize": {"enabled": True}}
    yield {"compression_training": {"weight_quantization": {"shared_parameters": fp16, "different_groups": {}}}}


def _read_texts(path: Path, seen: Observed, texts: list[str]) -> None:
    """Which of ``texts`` a raw key takes, when DeepSpeed refuses a text of nobody's as it parses."""
    content = _good_content(path[:-1]) if len(path) > 1 else {}
    if content is None:
        return
    taken = {text for text in [*texts, UNKNOWN_KEY] if not _refuses(path, content, text)}
    if UNKNOWN_KEY not in taken:
        seen.texts[path] = taken


def _refuses(path: Path, content: dict[str, Any], value: Any) -> bool:
    held = {**content, path[-1]: value}
    return refusal(nested(path[:-1], held) if len(path) > 1 else held) is not None


def _chooses(release: Release, path: Path) -> bool:
    return path in release.keys and bool(release.keys[path].choices)


def _texts(release: Release) -> list[str]:
    """Every text that is a choice of some key."""
    return sorted({text for key in release.keys.values() for text in key.choices if isinstance(text, str)})


def _taken(model: type[Any], name: str, value: Any) -> bool:
    """Whether the model takes a value for one of its fields, whatever it says of other fields."""
    from pydantic import ValidationError

    try:
        model(**{name: value})
    except ValidationError as error:
        return not any(not one["loc"] or one["loc"][0] == name for one in error.errors())
    except Exception:  # a validator that holds keys against each other may fail in any way
        return False
    return True


def _raw_keys(release: Release, seen: Observed) -> Iterator[Key]:
    for path, key in release.keys.items():
        if path[:-1] not in seen.models and not key.refused and not key.alias_of and "table" not in key.kinds:
            yield key


def _watch(key: Key, seen: Observed) -> None:
    """What the parsed config holds without the key, where it holds the key's value with it."""
    value = other_value(key)
    if value is None or refusal(nested(key.path, value)) is not None:
        return
    lacking = nested(key.path[:-1], {}) if len(key.path) > 1 else {}
    if refusal(lacking) is not None:
        return
    given, without = attributes(parse(nested(key.path, value))), attributes(parse(lacking))
    found = [without[name] for name, held in given.items() if held == value and without.get(name, value) != value]
    seen.defaults[key.path] = found


def _refusable(release: Release) -> list[Path]:
    """Every key that a release refuses, and every one that the installed one names as removed."""
    from deepspeed.runtime import config

    named: list[Path] = [(name,) for name in getattr(config, "_REMOVED_TOP_LEVEL_CONFIG_KEYS", ())]
    named += [("zero_optimization", name) for name in getattr(config, "_REMOVED_ZERO_CONFIG_KEYS", ())]
    return list(dict.fromkeys([*named, *(path for path, key in release.keys.items() if key.refused)]))
