"""Every stage is loaded, resolved and validated as a run of its own; all findings of all stages at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.load.directives import Named
from cfgc.load.files import candidates, no_spec
from cfgc.load.graph import SpecGraph
from cfgc.load.library import Library
from cfgc.load.loader import load_spec
from cfgc.load.project import read_project
from cfgc.load.reader import Reader
from cfgc.resolve.merge import merge_layers
from cfgc.resolve.resolved import Resolved
from cfgc.resolve.resolver import resolve_merged
from cfgc.stages import errors
from cfgc.stages.asked import STAGES, declares_stages
from cfgc.stages.declaring import declare
from cfgc.stages.findings import together
from cfgc.stages.layer import DECIDED, RUN_DIR, layers_of, placed
from cfgc.stages.outputs import Use, is_sound, judge_uses, uses_in, values_of
from cfgc.stages.pipeline import CheckedPipeline, CheckedStage, Declared, Said, in_order
from cfgc.sweep.asked import is_sweep
from cfgc.usercode.reading import with_user_code
from cfgc.validate.checker import check_resolved
from cfgc.validate.checker import in_order as by_place
from cfgc.validate.places import value_label
from cfgc.validate.stage_paths import paths_of_stages
from cfgc.validate.tasks import OF_TRAINING, names_a_task


@dataclass(frozen=True)
class StageSpec:
    """A stage's own spec, resolved, and what it takes from other stages."""

    said: Said
    resolved: Resolved
    uses: list[Use]
    problems: list[Diagnostic]

    @property
    def kind(self) -> str:
        """What it does."""
        naming = names_a_task(self.resolved)
        leaf = self.resolved.get("task.kind")
        named = {"task.target": "function", "task.script": "script", "task.inline": "script"}.get(naming)
        return named or (str(leaf.value) if leaf else "train")


def check_pipeline(reader: Reader, graph: SpecGraph) -> CheckedPipeline:
    """Validate the pipeline and each of its stages. Raises ``Rejected`` with every finding, by stage."""
    declared, found = declare(graph)
    found += [*declared.root.findings, *declared.root.graph.findings]
    specs: dict[str, StageSpec] = {}
    by_stage: dict[str, list[Diagnostic]] = {}
    for said in declared.stages:
        try:
            spec = _resolved_stage(reader, declared, said)
        except Rejected as rejected:
            by_stage.setdefault(said.name, []).extend(rejected.diagnostics)
        else:
            specs.setdefault(said.name, spec)
    kinds = {name: spec.kind for name, spec in specs.items()}
    checked: dict[str, CheckedStage] = {}
    for name, spec in specs.items():
        try:
            checked[name] = _checked_stage(declared, spec, kinds)
        except Rejected as rejected:
            by_stage.setdefault(name, []).extend(rejected.diagnostics)
    for name, stage in checked.items():
        by_stage.setdefault(name, []).extend(stage.checked.warnings)
    found += _unread(declared, specs)
    everything = by_place(declared.root, together(found, by_stage, len(declared.stages)))
    if any(finding.severity == "error" for finding in everything):
        raise Rejected(everything)
    ordered, _ = in_order(declared.stages)
    return CheckedPipeline(declared, tuple(checked[said.name] for said in ordered), everything)


def resolve_stage(reader: Reader, declared: Declared, name: str) -> Resolved | None:
    """The resolved spec of the stage ``name``; None when there is none. Raises ``Rejected``."""
    said = next((said for said in declared.stages if said.name == name), None)
    return _resolved_stage(reader, declared, said).resolved if said else None


def _resolved_stage(reader: Reader, declared: Declared, said: Said) -> StageSpec:
    """Load and merge what a stage runs. Raises ``Rejected``."""
    root = declared.root.graph
    graph = load_spec(reader, _logical(reader, declared, said)) if said.spec else root
    own = layers_of(declared, said)
    problems = list(own.problems)
    if said.spec and declares_stages(graph):
        problems.append(errors.pipeline_inside(declared, said, graph))
    inputs = dict.fromkeys((*root.inputs, *graph.inputs)) if said.spec else dict.fromkeys(graph.inputs)
    graph = replace(graph, layers=placed(graph.layers, own), inputs=tuple(inputs))
    merged = merge_layers(graph.layers)
    uses = list(uses_in(merged.tree))
    outputs = values_of(uses)
    resolved = resolve_merged(graph, replace(merged, tree={**merged.tree, **outputs}))
    leaves = {path: leaf for path, leaf in resolved.leaves.items() if path not in outputs}
    resolved = replace(resolved, leaves=MappingProxyType(leaves))
    if is_sweep(resolved):
        problems.append(errors.decided_by_the_pipeline(resolved, ("sweep",), "sweep", DECIDED["sweep"]))
    if not said.spec:
        resolved = _of_the_task(resolved)
        uses = [use for use in uses if any(use.location[: len(path)] == path for path in _kept(resolved))]
    return StageSpec(said, with_user_code(reader, resolved), uses, problems)


def _kept(resolved: Resolved) -> Iterator[tuple[str, ...]]:
    yield from resolved.leaves
    yield from resolved.unresolved


def _of_the_task(resolved: Resolved) -> Resolved:
    """Without what the pipeline says of training, where a stage has another task: it is for the stages that train."""
    if not names_a_task(resolved):
        return resolved
    leaves = {
        path: leaf
        for path, leaf in resolved.leaves.items()
        if path[0] not in OF_TRAINING or leaf.origin.layer.kind == "stage"
    }
    unresolved = {
        path: origin
        for path, origin in resolved.unresolved.items()
        if path[0] not in OF_TRAINING or origin.layer.kind == "stage"
    }
    return replace(resolved, leaves=MappingProxyType(leaves), unresolved=MappingProxyType(unresolved))


def _logical(reader: Reader, declared: Declared, said: Said) -> str:
    """The spec that a stage names, beside the pipeline's or where bases are looked for. Raises ``Rejected``."""
    label = value_label(declared.root, (*STAGES, said.position, "spec"), "")
    assert label is not None, "stages are written in a file or on the command line"
    library = Library(reader, read_project(reader).search)
    names = candidates(Named(said.spec, label.span, label.span), declared.root.graph.root.logical, library.search)
    for logical in names:
        if reader.read(logical) is not None:
            return logical
    raise Rejected([no_spec(library, names, said.spec, label.span)])


def _checked_stage(declared: Declared, spec: StageSpec, kinds: dict[str, str]) -> CheckedStage:
    """Validate one stage. Raises ``Rejected``."""
    unsound = [use for use in spec.uses if not is_sound(use)]
    found = [*spec.problems, *judge_uses(declared, spec.said, spec.uses, kinds)]
    try:
        checked = check_resolved(spec.resolved)
    except Rejected as rejected:
        follows = {use.location for use in unsound}
        others = [finding for finding in rejected.diagnostics if not _is_about(finding, spec.resolved, follows)]
        raise Rejected(by_place(spec.resolved, [*found, *others])) from None
    paths = set(paths_of_stages(checked.spec))
    for use in spec.uses:
        if is_sound(use) and use.location not in paths:
            found.append(errors.no_path_there(spec.resolved, use.location, use.find()))
    if found:
        raise Rejected(by_place(spec.resolved, [*found, *checked.warnings]))
    return CheckedStage(spec.said.name, tuple(dict.fromkeys(spec.said.needs)), checked)


def _is_about(finding: Diagnostic, resolved: Resolved, locations: Iterable[tuple[str | int, ...]]) -> bool:
    """Whether ``finding`` points at one of the values, which are no paths because the reference is wrong."""
    labels = [value_label(resolved, location, "") for location in locations]
    return finding.primary is not None and any(
        label is not None and label.span == finding.primary.span for label in labels
    )


def _unread(declared: Declared, specs: Mapping[str, StageSpec]) -> Iterator[Diagnostic]:
    """CFG667: what the pipeline's own spec says is for its stages."""
    own = [said for said in declared.stages if not said.spec]
    if any(said.name not in specs or not names_a_task(specs[said.name].resolved) for said in own):
        return  # a stage that trains reads all of it
    sections: dict[str, list[tuple[str, ...]]] = {}
    for path, leaf in declared.root.leaves.items():
        is_read = own and (path[0] not in OF_TRAINING or leaf.origin.layer.kind == "overlay")
        if not leaf.origin.span or is_read or path == STAGES:
            continue
        if path[0] != "experiment" and path[: len(RUN_DIR)] != RUN_DIR:
            sections.setdefault(path[0], []).append(path)
    for section, paths in sections.items():
        yield errors.of_no_stage(declared.root, section, paths, own_task=bool(own))
