"""Optimizer and scheduler types: what each takes in ``params``, from the constructors that it is given to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst
from libcst import matchers

from .following import Follower
from .modules import Sources
from .naming import Frame
from .values import NONE, Class, Const, Function, Instance, Mapping, Module, Node, known, literal

ENGINE = Class("deepspeed.runtime.engine", "DeepSpeedEngine")
CONFIG = Class("deepspeed.runtime.config", "DeepSpeedConfig")
PARAMS = ("optimizer", "params")
NO_DEFAULT = "<no default>"
FILLED_UP = matchers.Call(matchers.Attribute(matchers.Name("group"), matchers.Name("get")), [matchers.AtLeastN(n=2)])
NOT_SETTINGS = frozenset({"self", "params", "model_params", "optimizer", "deepspeed"})


@dataclass
class Signature:
    """The parameters of one type. ``torch`` are the classes of torch and others that it may be handed on to."""

    parameters: dict[str, Any] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)


def optimizers(sources: Sources) -> dict[str, Signature]:
    """Every optimizer that a release knows by name, by the name in lower case."""
    names = literal(Follower(sources).name_of(CONFIG.module, "DEEPSPEED_OPTIMIZERS"))
    return {name: _optimizer(sources, name) for name in sorted(names)}


def _optimizer(sources: Sources, name: str) -> Signature:
    follower = Follower(sources)
    config = Instance(CONFIG, {"optimizer_name": (Const(name),), "optimizer_params": (Node(PARAMS),)})
    engine = Instance(ENGINE, {"_config": (config,), "client_optimizer": NONE})
    method = follower.member(ENGINE, "_configure_basic_optimizer")
    assert isinstance(method, cst.FunctionDef)
    follower.run(Function(ENGINE.module, method, (engine,), ENGINE.name), [], {})
    made = Signature()
    for atom, spread, named in follower.constructed:
        if not any(_holds_params(follower, one) for one in spread):
            continue
        if isinstance(atom, Module):
            made.foreign.append(atom.name)
        else:
            fixed = {key for one in spread if isinstance(one, Mapping) and PARAMS not in one.over for key in one.items}
            made.parameters = {**_constructor(follower, atom, named | fixed), **made.parameters}
    for path, seen in follower.readings.seen.items():
        if path[:2] == PARAMS and len(path) == 3 and path[2] != "max_grad_norm":
            default = next((literal(d) for d in seen.defaults if known(d)), NO_DEFAULT)
            made.parameters.setdefault(path[2], default)
    for owner in follower.made:
        filled = _of_groups(follower, owner)
        lacking = [name for name, default in made.parameters.items() if default == NO_DEFAULT and name in filled]
        made.parameters |= {name: filled[name] for name in lacking}
    return made


def _of_groups(follower: Follower, owner: Class) -> dict[str, Any]:
    """What a constructor fills its groups of parameters up with, ``group["lr"] = group.get("lr", 0.02)``.

    Of several kinds of groups the first counts.
    """
    found: dict[str, Any] = {}
    begin = follower.member(owner, "__init__")
    for call in matchers.findall(begin, FILLED_UP) if begin is not None else ():
        assert isinstance(call, cst.Call)
        name, default = (follower.evaluate(arg.value, Frame(owner.module, {})) for arg in call.args)
        if known(name) and known(default):
            found.setdefault(literal(name), literal(default))
    for base in follower.bases(owner):
        found = {**_of_groups(follower, base), **found}
    return found


def _holds_params(follower: Follower, atom: object) -> bool:
    return atom == Node(PARAMS) or PARAMS in getattr(atom, "over", ())


def _constructor(follower: Follower, owner: Class, given: frozenset[str] = frozenset()) -> dict[str, Any]:
    begin = follower.member(owner, "__init__")
    found: dict[str, Any] = {}
    if isinstance(begin, cst.FunctionDef):
        for param in [*begin.params.params, *begin.params.kwonly_params]:
            name = param.name.value
            if name not in NOT_SETTINGS and name not in given:
                value = follower.evaluate(param.default, Frame(owner.module, {})) if param.default else ()
                found[name] = literal(value) if known(value) else NO_DEFAULT
    return found


def schedulers(sources: Sources) -> dict[str, Signature]:
    """Every learning-rate schedule that a release knows by name."""
    follower = Follower(sources)
    module = "deepspeed.runtime.lr_schedules"
    names = literal(follower.name_of(module, "VALID_LR_SCHEDULES"))
    return {name: Signature(_constructor(follower, Class(module, name))) for name in sorted(names)}
