"""Models of transformers: what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.validate.remedy import Remedy, one_fix
from cfgc.validate.rules.finding import At, error

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.resolve.resolved import Resolved
    from cfgc.schema.spec import Spec

KIND, PATH, CONFIG = "model.kind", "model.path", "model.config"

_WAYS = (
    'a directory that has a config.json: `path = "models/llama"`',
    'or its configuration here: `config = { model_type = "llama", … }`',
)


def model_has_one_description(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG467: a directory or a configuration, and the configuration says which model."""
    said = spec.model
    if said.kind != "huggingface":
        return
    if said.path is None and not said.config:
        yield error("CFG467", "the model has no description", resolved, [At(KIND, "which one?")], (), _WAYS)
    elif said.path is not None and said.config:
        places = [At(PATH, "its config.json says one thing"), *_config_places(spec, "and this another")]
        message = "the model is described twice"
        fixes = one_fix(Remedy(resolved).drop(("model", "config")))
        yield error("CFG467", message, resolved, places, (), ("keep `path`, or `[model.config]`",), fixes)
    elif said.config and not isinstance(said.config.get("model_type"), str):
        yield error(
            "CFG467",
            "the model's configuration does not say of which model",
            resolved,
            _config_places(spec, "of which architecture?"),
            (),
            ('add `model_type = "llama"` under `[model.config]`, as its config.json would say',),
        )


def weights_have_a_directory(spec: Spec, resolved: Resolved) -> Iterator[Diagnostic]:
    """CFG468: weights are files of a directory."""
    said = spec.model
    if said.kind != "huggingface" or not said.from_weights or said.path is not None:
        return
    yield error(
        "CFG468",
        "`model.from_weights` has no directory to load from",
        resolved,
        [At("model.from_weights", "starts from weights"), *_config_places(spec, "describes a model, and holds none")],
        (),
        ("write `path`, the directory with config.json and model.safetensors, or drop `from_weights`",),
    )


def _config_places(spec: Spec, text: str) -> list[At]:
    first = next(iter(spec.model.config or {}), "")
    return [At(f"{CONFIG}.{first}", text), At(CONFIG, text)]
