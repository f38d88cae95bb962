"""Following ``extends``: every base once, at its first occurrence, root first."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load import base_errors, limit_errors
from cfgc.load.directives import Named
from cfgc.load.files import SpecFile, candidates, no_spec, read_spec
from cfgc.load.library import Library
from cfgc.load.overlays import keys_in_folder
from cfgc.load.project_errors import project_is_no_spec
from cfgc.load.raw import PROJECT_FILE, SHIPPED
from cfgc.origin import Path
from cfgc.source import Span

MAX_FILES = 64
"""Files that one spec is made of."""
MAX_CHAIN = 12
"""Bases on one road from a spec to its first base; nobody can follow more."""


class NoSpecError(Rejected):
    """There is no file of that name."""


@dataclass
class Bases:
    """Collects files in the order in which their layers apply, and what is wrong on the way.

    ``problems`` leave nothing to judge. With ``carried`` the rest can be: a circle, which is cut, and a base that is
    not there, where files beside it tell which keys it may set (``doubtful``).
    """

    library: Library
    read: dict[str, SpecFile | Rejected | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)
    carried: list[Diagnostic] = field(default_factory=list)
    doubtful: list[Path] = field(default_factory=list)

    def ordered(self, spec: SpecFile, above: Sequence[tuple[SpecFile, Named]] = ()) -> list[SpecFile]:
        """The bases of ``spec`` that no earlier call gave, then ``spec``. ``above`` are the files that led here."""
        self.seen.add(spec.logical)
        files: list[SpecFile] = []
        for named in spec.directives.extends:
            road = [*above, (spec, named)]
            base = self._read(named, road)
            if base is not None and base.logical not in self.seen:
                files += self.ordered(base, road)
        return [*files, spec]

    def _read(self, named: Named, road: Sequence[tuple[SpecFile, Named]]) -> SpecFile | None:
        try:
            names = candidates(named, road[-1][0].logical, self.library.search)
            base = self._first_of(names, named)
        except NoSpecError as missing:
            keys = keys_in_folder(self.library, posixpath.dirname(named.name.removeprefix(SHIPPED)))
            self.doubtful += keys
            self._note(missing.diagnostics, self.carried if keys else self.problems)
            return None
        except Rejected as rejected:
            self._note(rejected.diagnostics, self.problems)
            return None
        circle = _circle(base, road)
        if circle:
            self._note([base_errors.extends_cycle(circle)], self.carried)
            return None
        if len(road) > MAX_CHAIN:
            self._note([base_errors.too_many_bases(MAX_CHAIN, named.span)], self.problems)
            return None
        if len(self.seen) >= MAX_FILES:
            self._note([limit_errors.too_many_files(MAX_FILES, named.span)], self.problems)
            return None
        if base.logical not in self.seen:
            self.problems += base.directives.problems
        return base

    def _first_of(self, names: Sequence[str], named: Named) -> SpecFile:
        """The first of ``names`` that exists; each file is read once, however often it is named."""
        for logical in names:
            if posixpath.basename(logical) == PROJECT_FILE:
                raise Rejected([project_is_no_spec(logical, named.span)])
            if logical not in self.read:
                try:
                    self.read[logical] = read_spec(self.library.reader, logical, named.span)
                except Rejected as rejected:
                    self.read[logical] = rejected
            found = self.read[logical]
            if isinstance(found, Rejected):
                raise found
            if found is not None:
                return found
        raise NoSpecError([no_spec(self.library, names, named.name, named.span)])

    @staticmethod
    def _note(found: Sequence[Diagnostic], where: list[Diagnostic]) -> None:
        where += [diagnostic for diagnostic in found if diagnostic not in where]


def _circle(base: SpecFile, road: Sequence[tuple[SpecFile, Named]]) -> list[tuple[str, Span, str]]:
    """The steps from ``base`` back to it; none when the road does not lead there."""
    names = [spec.logical for spec, _ in road]
    if base.logical not in names:
        return []
    steps = road[names.index(base.logical) :]
    targets = [*(spec.logical for spec, _ in steps[1:]), base.logical]
    return [(spec.logical, named.span, target) for (spec, named), target in zip(steps, targets, strict=True)]
