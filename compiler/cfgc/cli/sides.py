"""From what the user named to a bundle: a directory, a spec that is compiled, or either in a revision of git."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from cfgc.audit.bundle_on_disk import MANIFEST, BundleOnDisk, bundle_at, bundle_in_memory, read_bundle
from cfgc.audit.comparing import Comparison, compare_bundles, unedited
from cfgc.audit.comparing_trees import Tree, TreeComparison, compare_trees
from cfgc.audit.diff_errors import no_such_side
from cfgc.audit.git import InRevision, TreeReader, find_in_revision, split_revision
from cfgc.audit.verify import bundles_at
from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.diagnostics.masking import masked_text
from cfgc.load.disk import DiskReader
from cfgc.load.overrides import COMMAND_LINE
from cfgc.load.raw import SHIPPED
from cfgc.pipeline import compile_spec
from cfgc.resources import shipped_dir
from cfgc.session import Session, is_override, open_spec


@dataclass(frozen=True)
class Named:
    """One side as it was named: a place, and the overrides of the spec there."""

    place: str
    overrides: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.place, *self.overrides))


@dataclass(frozen=True)
class _RevisionSession(Session):
    """A spec of a revision: its files are named as git names them."""

    revision: str

    def shown(self, logical: str) -> str:
        """``HEAD~1:specs/a.toml``."""
        if logical.startswith(SHIPPED) or logical == COMMAND_LINE:
            return logical
        return f"{self.revision}:{posixpath.normpath(posixpath.join(self.root.as_posix(), logical))}"


def told_apart(arguments: Sequence[str]) -> tuple[Named, Named]:
    """Both sides of ``A [OVERRIDE]… B [OVERRIDE]…``; of one spec with overrides, the spec without and with them."""
    sides: list[Named] = []
    for argument in arguments:
        if not is_override(argument) or os.path.lexists(argument):
            sides.append(Named(argument))
        elif sides:
            sides[-1] = Named(sides[-1].place, (*sides[-1].overrides, argument))
        else:
            raise click.UsageError(f"the override {argument} comes before any side: write it after the spec it is for")
    if len(sides) == 1 and sides[0].overrides:
        return Named(sides[0].place), sides[0]
    if len(sides) != 2:
        what = "one side" if len(sides) == 1 else f"{len(sides)} sides"
        raise click.UsageError(f"{what} given; two are compared, or one spec without and with its overrides")
    return sides[0], sides[1]


def compared(old: Named, new: Named) -> Comparison | TreeComparison:
    """What differs between two sides, or between two directories of bundles. Raises ``Rejected``."""
    trees = [tree_of(named) for named in (old, new)]
    if trees[0] and trees[1]:
        return compare_trees(trees[0], trees[1])
    for named, tree in zip((old, new), trees, strict=True):
        if tree:
            raise click.UsageError(f"{named.place} is a directory of bundles, and the other side is none")
    return compare_bundles(*_opened(old, new))


def _opened(*sides: Named) -> list[BundleOnDisk]:
    """Both sides. Raises ``Rejected`` with the errors of either, once where they are the same."""
    found, findings = list[BundleOnDisk](), list[Diagnostic]()
    for named in sides:
        try:
            found.append(open_side(named))
        except Rejected as rejected:
            errors = [finding for finding in rejected.diagnostics if finding.severity == "error"]
            findings += [finding for finding in errors if finding not in findings]
    if findings:
        raise Rejected(findings)
    return found


def tree_of(named: Named) -> Tree | None:
    """The bundles below the directory that ``named`` is, which is no bundle itself; None where there are none."""
    path = Path(named.place)
    if path.is_dir():
        try:
            found = () if os.path.lexists(_bundle_of(path) / MANIFEST) else bundles_at(path)
        except Rejected:
            return None
        if found in ((), (path,)):
            return None
        return _tree(named, {one.relative_to(path).as_posix(): partial(bundle_at, one) for one in found})
    if os.path.lexists(path) or named.place.startswith(SHIPPED) or not split_revision(named.place):
        return None
    there = find_in_revision(named.place, Path.cwd())
    bundles = there.bundles() if there.kind == "tree" else {}
    if not bundles or "." in bundles:
        return None
    return _tree(
        named,
        {place: partial(read_bundle, files, posixpath.join(named.place, place)) for place, files in bundles.items()},
    )


def _tree(named: Named, readers: Mapping[str, Callable[[], BundleOnDisk]]) -> Tree:
    bundles: dict[str, BundleOnDisk] = {}
    refused: dict[str, tuple[Diagnostic, ...]] = {}
    for place, read in readers.items():
        try:
            bundles[place] = _whole(read(), named)
        except Rejected as rejected:
            refused[place] = rejected.diagnostics
    return Tree(named.place, bundles, refused)


def open_side(named: Named) -> BundleOnDisk:
    """The bundle that ``named`` is or becomes. Raises ``Rejected``, with places as they can be opened."""
    place, path = named.place, Path(named.place)
    if place.startswith(SHIPPED):
        return _compiled(open_spec(place, named.overrides), named)
    if path.is_dir():
        return _whole(bundle_at(_bundle_of(path), place), named)
    if not os.path.lexists(path) and split_revision(place):
        return _of_revision(find_in_revision(place, Path.cwd()), named)
    if path.suffix != ".toml":
        raise Rejected([no_such_side(place, "no spec and no directory" if path.exists() else "there is no such file")])
    return _compiled(open_spec(place, named.overrides), named)


def _of_revision(found: InRevision, named: Named) -> BundleOnDisk:
    if found.kind == "tree":
        return _whole(read_bundle(found.files(), named.place), named)
    root, logical = found.project()
    shipped = DiskReader(shipped_dir("specs"), shipped_dir("specs"))
    reader = TreeReader(found.tree, root, shipped)
    return _compiled(_RevisionSession(reader, logical, Path(root), named.overrides, found.tree.revision), named)


def _compiled(session: Session, named: Named) -> BundleOnDisk:
    try:
        bundle = compile_spec(session.reader, session.logical, session.overrides)
    except Rejected as rejected:
        raise Rejected(session.from_here(rejected.diagnostics)) from None
    return bundle_in_memory(bundle, masked_text(str(named)))


def _whole(bundle: BundleOnDisk, named: Named) -> BundleOnDisk:
    """``bundle``, which nobody edited, and which takes no overrides."""
    if named.overrides:
        raise click.UsageError(f"{named.place} is a bundle, which takes no overrides: {' '.join(named.overrides)}")
    return unedited(bundle)


def _bundle_of(directory: Path) -> Path:
    """``directory``, or the copy of the bundle in it where it is a run directory."""
    copy = directory / "bundle"
    return copy if not os.path.lexists(directory / MANIFEST) and os.path.lexists(copy / MANIFEST) else directory
