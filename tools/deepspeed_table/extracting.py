"""One release's table: every key by its dotted path with what is to know of it, and the optimizers and schedulers."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path as FilePath
from typing import Any

import libcst as cst

from .following import Follower
from .models import Field, ModelReader, kinds_of
from .modules import Sources
from .readings import Seen
from .signatures import CONFIG, ENGINE, Signature, optimizers, schedulers
from .values import NONE, Class, Function, Instance, Node, Path, Value, known

Facts = dict[str, Any]
"""What is to know of one key: the JSON of ``cfgc.deepspeed.table.Key``, without what has its usual value."""

ALIASES = {"bfloat16": "bf16"}
"""Sections that are read where another is absent; ``precision_config`` says so in code."""

PIPELINE_ENGINE = Class("deepspeed.runtime.pipe.engine", "PipelineEngine")
STARTING = ("__init__", "deepspeed_io", "forward", "_forward_prologue")
"""The methods of engines that read what the config hands on."""

HANDED_ON = {("optimizer", "params"), ("scheduler", "params")}
"""Tables that constructors get: ``signatures`` reads what they take."""


@cache
def supplements() -> dict[str, Any]:
    """``facts.toml``: what only a person can read."""
    with FilePath(__file__).with_name("facts.toml").open("rb") as file:
        return tomllib.load(file)


def extract(root: FilePath) -> dict[str, Any]:
    """The table of the release whose package ``deepspeed`` is in ``root``."""
    sources = Sources(root)
    keys = _Keys(sources).all()
    return {
        "keys": {path: _compact(keys[path]) for path in sorted(keys)},
        "optimizers": {name: _named(found) for name, found in optimizers(sources).items()},
        "schedulers": {name: _named(found) for name, found in schedulers(sources).items()},
    }


def _compact(facts: Facts) -> Facts:
    """Sorted, with kinds as one text: ``int|null``."""
    joined = {name: "|".join(value) for name, value in facts.items() if name in {"kinds", "items", "rejects"}}
    return dict(sorted({**facts, **joined}.items()))


def _named(found: Signature) -> dict[str, Any]:
    """A type's parameters with defaults; those that torch alone takes have none that is known here."""
    parameters, is_open = dict(found.parameters), False
    for name in found.foreign:
        taken = supplements()["torch"].get(name)
        is_open = is_open or taken is None
        for parameter in taken or ():
            parameters.setdefault(parameter, None)
    made: dict[str, Any] = {"parameters": parameters}
    return {**made, "open": True} if is_open else made


class _Keys:
    def __init__(self, sources: Sources) -> None:
        self._follower = Follower(sources)
        self._models = ModelReader(self._follower)
        self._found: dict[str, Facts] = {}

    def all(self) -> dict[str, Facts]:
        """Every key of the release."""
        self._follower.fill_field = self._fill_field  # type: ignore[method-assign]
        self._follow()
        seen = self._follower.readings.seen
        for path in sorted(seen):
            if path and path[:2] not in HANDED_ON and (seen[path].refused or not self._in_model(path)):
                self._raw(path, seen[path])
        for path, record in seen.items():
            if record.model is not None:
                self._section(path, record.model)
        for path in HANDED_ON:
            self._found[".".join(path)] = {"default": None}
        self._supplement()
        self._alias_sections()
        return self._found

    def _follow(self) -> None:
        config = Instance(CONFIG)
        whole: list[Value] = [(Node(()),)]
        for name, args in (("__init__", whole), ("_do_error_check", []), ("_do_warning_check", [])):
            method = self._follower.member(CONFIG, name)
            assert isinstance(method, cst.FunctionDef)
            self._follower.run(Function(CONFIG.module, method, (config,), CONFIG.name), args, {})
        self._config = config
        self._follow_engine(config)
        self._follow_start(whole)

    def _follow_engine(self, config: Instance) -> None:
        """What the engines read of the parts that the config hands on as they are."""
        self._follower.remember = True
        for owner in (ENGINE, PIPELINE_ENGINE):
            engine = Instance(owner, {"_config": (config,)})
            for name in STARTING:
                method = self._follower.member(owner, name)
                if isinstance(method, cst.FunctionDef):
                    self._follower.run(Function(owner.module, method, (engine,), owner.name), [], {})

    def _follow_start(self, whole: list[Value]) -> None:
        """What ``deepspeed.initialize`` reads before it makes the config."""
        for begin in self._follower.sources.parsed("deepspeed").names.get("initialize", ()):
            if isinstance(begin, cst.FunctionDef):
                self._follower.run(Function("deepspeed", begin), [], {"config": whole[0]})

    def _fill_field(self, owner: Class, name: str, value: Value) -> None:
        field = self._models.fields(owner).get(name)
        for atom in value:
            if isinstance(atom, Node) and field is not None and field.model is not None:
                self._follower.readings.at(atom.path).model = field.model

    def _raw(self, path: Path, seen: Seen) -> None:
        facts: Facts = {}
        below = any(other[: len(path)] == path and len(other) > len(path) for other in self._follower.readings.seen)
        default = self._default(path, seen)
        if below or seen.model is not None:
            facts["kinds"] = ["null", "table"] if seen.defaults == [NONE] else ["table"]
        elif known(default):
            facts["default"] = self._models.plain(default)
            facts["kinds"] = sorted(kinds_of(facts["default"]))
        if not seen.looked_at and not seen.refused:
            facts["unread"] = True
        if seen.allowed and not below:
            facts["choices"] = seen.allowed
        if facts.get("choices") and seen.folded:
            facts["any_case"] = True
        if seen.refused:
            facts = {"refused": True}
        self._found[".".join(path)] = facts

    def _in_model(self, path: Path) -> bool:
        """Whether a model reads the key, which says itself what it takes."""
        seen = self._follower.readings.seen
        return any(seen[path[:end]].model is not None for end in range(1, len(path)) if path[:end] in seen)

    def _default(self, path: Path, seen: Seen) -> Value:
        """The default that the key is asked for with, or what its attribute of the config is without it."""
        for default in seen.defaults:
            if known(default):
                return default
        for value in self._config.attributes.values():
            if Node(path) in value and len(value) == 2:
                return tuple(atom for atom in value if atom != Node(path))
        return ()

    def _section(self, path: Path, owner: Class) -> None:
        facts = self._found.setdefault(".".join(path), {})
        kinds = set(facts.get("kinds", ())) | {"table"}
        facts.update(kinds=sorted(kinds), model=True)
        if self._models.refuses_unknown(owner):
            facts["closed"] = True
        for field in self._models.fields(owner).values():
            self._field(path, field)

    def _field(self, section: Path, field: Field) -> None:
        path = (*section, field.names[0])
        name = ".".join(path)
        if "refused" in self._found.get(name, {}):
            return
        self._found[name] = self._field_facts(section, field)
        if field.model is not None:
            self._section(path, field.model)
        for other in field.names[1:]:
            self._found[".".join((*section, other))] = {"alias_of": name}

    def _field_facts(self, section: Path, field: Field) -> Facts:
        facts: Facts = {"kinds": sorted(field.kinds), **field.bounds}
        if not field.kinds:
            return {"kinds": [], "refused": "only an object of torch can be given, which no JSON holds"}
        if (field.default and field.model is None) or known(field.default):
            facts["default"] = self._models.plain(field.default)
        more = {"items": sorted(field.items), "choices": list(field.choices), "rejects": sorted(field.rejects)}
        facts.update({name: value for name, value in more.items() if value})
        if field.required:
            facts["required"] = True
        if field.deprecated:
            facts["deprecated"] = True
            if field.replaced_by and " " not in field.replaced_by:
                facts["replaced_by"] = ".".join((*section, self._public(section, field.replaced_by)))
        return facts

    def _public(self, section: Path, name: str) -> str:
        """The name that a field is written by, of its name in Python."""
        found = self._found.get(".".join((*section, name)), {})
        alias = found.get("alias_of")
        return alias.rpartition(".")[2] if alias else name

    def _supplement(self) -> None:
        facts = supplements()
        for name, kinds in facts["kinds"].items():
            if name in self._found and "refused" not in self._found[name]:
                self._found[name]["kinds"] = sorted(kinds.split("|"))
        for name, more in facts["values"].items():
            if name in self._found and "refused" not in self._found[name]:
                self._found[name].update({k: v.split("|") if k == "items" else v for k, v in more.items()})
                self._choices(name, self._found[name])
        for name in facts["free"]["tables"]:
            if name in self._found and "refused" not in self._found[name]:
                self._found[name]["free"] = True
        for name, found in self._found.items():
            if found.get("refused") is True:
                words = facts["refused"].get(name)
                if words is None:
                    raise ValueError(f"facts.toml has no words for why `{name}` is refused")
                found["refused"] = words["reason"]
                if "instead" in words:
                    found["replaced_by"] = words["instead"]

    def _choices(self, name: str, found: Facts) -> None:
        """What ``facts.toml`` says of choices in words: those the source compares with, or an enumeration's texts."""
        seen = self._follower.readings.at(tuple(name.split(".")))
        if found.get("choices") == "compared":
            found["choices"] = seen.compared
        elif found.get("choices") == "DtypeEnum":
            found["choices"] = self._models.texts_of(Class(CONFIG.module, "DtypeEnum"))
        if found.get("choices") and seen.folded:
            found["any_case"] = True

    def _alias_sections(self) -> None:
        for name, other in ALIASES.items():
            if name in self._found and other in self._found:
                for path in [p for p in self._found if p.startswith(f"{name}.")]:
                    del self._found[path]
                self._found[name] = {"alias_of": other}
