"""A primary config and the groups that it chooses from become one tree, in the order that Hydra 1.3 has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from posixpath import dirname, normpath, relpath, splitext

from cfgc.deepspeed.config import Path
from cfgc.diagnostics import Rejected
from cfgc.importing import errors
from cfgc.importing.branches import Branch, merged, placed
from cfgc.importing.hydra.defaults import Default, defaults_of, header_package
from cfgc.importing.tree import Tree, read_file
from cfgc.importing.yaml_reading import Document, read_yaml
from cfgc.nearest import nearest

MAX_CONFIGS = 200
"""Configs that one primary config may be composed of."""

_SUFFIXES = (".yaml", ".yml")
_HYDRA = "hydra"


@dataclass(frozen=True)
class _Place:
    """A config that is being composed: its path without suffix, its directory, and where its keys go."""

    path: str
    group: str
    package: Path
    chain: tuple[str, ...] = ()


@dataclass
class _Composition:
    """The configs read so far, by their path below the directory ``search``."""

    tree: Tree
    search: str
    read: dict[str, Document | None] = field(default_factory=dict)
    composed: int = 0

    def document(self, path: str, default: Default | None) -> Document | None:
        if path not in self.read:
            self.read[path] = self._load(path, default)
        return self.read[path]

    def _load(self, path: str, default: Default | None) -> Document | None:
        whole = normpath(f"{self.search}/{path}") if self.search else path
        names = [whole] if path.endswith(_SUFFIXES) else [whole + suffix for suffix in _SUFFIXES]
        for name in names:
            try:
                there = self.tree.read(name) is not None
            except OSError:
                there = True
            if there:
                return read_yaml(name, read_file(self.tree, name, default.span if default else None))
        return None

    def layers(self, place: _Place, outer: Mapping[str, str], default: Default | None) -> Iterator[Branch]:
        """The trees to merge, lowest first."""
        self.composed += 1
        if default is not None and (place.path in place.chain or self.composed > MAX_CONFIGS):
            raise Rejected([errors.default_cycle(default.span, (*place.chain, place.path), MAX_CONFIGS)])
        document = self.document(place.path, default)
        if document is None:
            self._absent(place, default)
            return
        place = replace(place, package=_own_package(place, default, header_package(document.source.text)))
        defaults = defaults_of(document.root) if document.root else ()
        chosen = {_slot(d, place): d.option for d in defaults if d.override} | dict(outer)
        for one in defaults:
            if one.is_self:
                own = {key: value for key, value in document.root.items() if key != "defaults"}
                yield placed(own, place.package)
            elif not one.override:
                yield from self._chosen(one, place, chosen)

    def _chosen(self, one: Default, place: _Place, chosen: Mapping[str, str]) -> Iterator[Branch]:
        if _target(one, place).split("/")[0] == _HYDRA:
            return
        option = chosen.get(_slot(one, place), one.option)
        if option == "???":
            raise Rejected([errors.bad_default(one.span, f"`{one.group}` has no option yet (???)")])
        if "${" in option:
            raise Rejected([errors.bad_default(one.span, f"the option `{option}` is computed; write it")])
        chain = (*place.chain, place.path)
        path = normpath(f"{_target(one, place)}/{option}") if one.group else _target(replace(one, option=option), place)
        inner = _Place(path, dirname(path), place.package, chain)
        yield from self.layers(inner, chosen, one)

    def _absent(self, place: _Place, default: Default | None) -> None:
        """Nothing for an optional config; any other raises ``Rejected``."""
        assert default is not None, "the primary config was read by the caller"
        if default.optional:
            return
        directory = normpath(f"{self.search}/{place.group}".strip("/"))
        options = [name.rpartition(".")[0] for name in self.tree.names(directory) if name.endswith(_SUFFIXES)]
        close = nearest(place.path.rpartition("/")[2], options)
        raise Rejected([errors.no_such_config(default.span, place.path, options, close)])


def compose(tree: Tree, logical: str, document: Document, search: str) -> Branch:
    """The tree of the primary config ``logical``, without what is Hydra's own. Raises ``Rejected``.

    ``search`` is the directory that groups are below.
    """
    primary = splitext(relpath(logical, search or "."))[0]
    composition = _Composition(tree, search, {primary: document})
    found: Branch = {}
    for layer in composition.layers(_Place(primary, dirname(primary), ()), {}, None):
        found = merged(found, layer)
    return {key: value for key, value in found.items() if key != _HYDRA}


def _target(one: Default, place: _Place) -> str:
    """The group's directory, or the config's path, from the root of the tree."""
    name = one.group or one.option
    base = "" if name.startswith("/") else place.group
    return normpath(f"{base}/{name.lstrip('/')}".lstrip("/"))


def _slot(one: Default, place: _Place) -> str:
    """What an ``override`` and the entry that it overrides have in common."""
    said = one.package if one.package is not None else _package_of(one)
    return f"{_target(one, place)}@{'.'.join(_below(place.package, said))}"


def _own_package(place: _Place, default: Default | None, header: str | None) -> Path:
    """Where the keys of a config go. ``place.package`` is that of the config that asks for it.

    A header is absolute; what a defaults list says is below the asking config's package.
    """
    if default is not None and default.package is not None:
        return _below(place.package, default.package)
    if header is not None:
        return _below((), header)
    return _below(place.package, _package_of(default)) if default else ()


def _package_of(default: Default) -> str:
    """The keys of its group."""
    return (default.group or dirname(default.option)).lstrip("/").replace("/", ".")


def _below(above: Path, package: str) -> Path:
    keys = [*above, *(key for key in package.split(".") if key and key != "_here_")]
    if "_global_" in keys:
        keys = keys[len(keys) - keys[::-1].index("_global_") :]
    return tuple(keys)
