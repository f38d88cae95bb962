"""A file of another tool becomes the text of a spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import dirname
from typing import TYPE_CHECKING

from cfgc.deepspeed.case import Case
from cfgc.deepspeed.reading import read_config
from cfgc.deepspeed.releases import newest_release, release
from cfgc.diagnostics import Rejected
from cfgc.importing import errors
from cfgc.importing.branches import Branch, config_of, merged
from cfgc.importing.fitting import fitting
from cfgc.importing.from_accelerate import from_accelerate
from cfgc.importing.from_deepspeed import from_deepspeed
from cfgc.importing.from_tree import from_ava, from_hydra
from cfgc.importing.hydra.composing import compose
from cfgc.importing.items import Dropped, Imported, Item, Raw, Setting
from cfgc.importing.kinds import KINDS, is_json, kind_of
from cfgc.importing.placeholders import with_placeholders
from cfgc.importing.spec_text import spec_text
from cfgc.importing.tree import Tree, read_file
from cfgc.importing.yaml_reading import read_yaml

if TYPE_CHECKING:
    from cfgc.deepspeed.config import Config
    from cfgc.deepspeed.table import Release


@dataclass(frozen=True)
class Request:
    """What to import: a file of the tree, and what the command line says of it.

    ``layers`` are files that are merged over it, left to right; ``kind`` empty means that the content decides.
    ``hardware`` are the overlays of that group that there are. ``search`` says that the root of the tree is where the
    groups of a Hydra config are, and not the directory of the config.
    """

    logical: str
    kind: str = ""
    layers: tuple[str, ...] = ()
    world_size: int | None = None
    deepspeed: str = ""
    name: str = ""
    hardware: tuple[str, ...] = ()
    search: bool = False


@dataclass(frozen=True)
class Outcome:
    """The spec, what it was made of, and the name of the file."""

    text: str
    imported: Imported = field(repr=False)
    source: str

    @property
    def items(self) -> tuple[Item, ...]:
        """What it was made of."""
        return self.imported.items

    def counts(self) -> dict[str, int]:
        """Converted, raw, dropped, and doubtful ones of all of these."""
        settings = [item for item in self.items if isinstance(item, Setting)]
        dropped = [item for item in self.items if isinstance(item, Dropped)]
        return {
            "converted": sum(item.grade == "converted" and bool(item.sources) for item in settings),
            "kept raw": sum(isinstance(item, Raw) for item in self.items),
            "dropped": len(dropped),
            "doubtful": sum(item.grade == "doubtful" for item in settings) + sum(item.doubtful for item in dropped),
        }


def import_file(tree: Tree, request: Request) -> Outcome:
    """The spec of a file. Raises ``Rejected`` when the file can't be read or recognised."""
    imported = _imported(tree, request)
    stem = request.logical.rpartition("/")[2].rpartition(".")[0] or request.logical
    items = fitting(with_placeholders(imported.items, request.name, stem))
    if any(isinstance(item, Dropped) for item in items):
        items = with_placeholders(items, request.name, stem)
    return rendered(Imported(imported.title, items), request.logical.rpartition("/")[2])


def rendered(imported: Imported, source: str) -> Outcome:
    """The outcome with the text that ``imported`` makes."""
    return Outcome(spec_text(imported, source), imported, source)


def _imported(tree: Tree, request: Request) -> Imported:
    data = read_file(tree, request.logical)
    known = release(request.deepspeed or newest_release())
    if request.kind in ("", "deepspeed") and is_json(request.logical, data, known=bool(request.kind)):
        return _of_config(read_config(request.logical, data), known, request)
    document = read_yaml(request.logical, data)
    kind = request.kind or kind_of(document.root)
    if kind == "deepspeed":
        return _of_config(config_of(document.root, document.source), known, request)
    if kind == "accelerate":
        items = from_accelerate(tree, document, known, request.world_size)
        return _titled("a configuration of accelerate", request, items, known)
    if kind == "hydra":
        search = "" if request.search else dirname(request.logical)
        root = _over(tree, compose(tree, request.logical, document, search), request.layers)
        return _titled("a Hydra configuration", request, from_hydra(root, request.world_size))
    if kind == "ava":
        root = _over(tree, document.root, request.layers)
        layers = (request.logical, *request.layers)
        return _titled("an Ava configuration", request, from_ava(root, request.world_size, layers, request.hardware))
    raise Rejected([errors.no_kind(document.source, KINDS)])


def _of_config(config: Config, known: Release, request: Request) -> Imported:
    if not any(known.key(path) for path in config.entries if len(path) == 1):
        raise Rejected([errors.no_kind(config.source, KINDS)])
    items = from_deepspeed(Case(config, known, request.world_size))
    return _titled("a ds_config of DeepSpeed", request, items, known)


def _titled(what: str, request: Request, items: tuple[Item, ...], known: Release | None = None) -> Imported:
    """``known`` is the release whose defaults stand for what the file leaves out."""
    target = Setting("target.deepspeed", known.version, "the defaults below are this release's") if known else None
    release_text = f", read as DeepSpeed {known.version} would" if known else ""
    files = ", ".join((request.logical, *request.layers))
    return Imported(f"Imported from {files}, {what}{release_text}.", (*((target,) if target else ()), *items))


def _over(tree: Tree, root: Branch, layers: Sequence[str]) -> Branch:
    """The files of ``--with`` on ``root``, left to right."""
    for layer in layers:
        root = merged(root, read_yaml(layer, read_file(tree, layer)).root)
    return root
