"""What is said of pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cfgc.diagnostics import Diagnostic, Label
from cfgc.load import mending
from cfgc.load.graph import SpecGraph
from cfgc.nearest import nearest
from cfgc.origin import Path, dotted
from cfgc.patch import Patch
from cfgc.resolve.errors import shown
from cfgc.resolve.expression import RefPath
from cfgc.resolve.resolved import Resolved
from cfgc.source import Span
from cfgc.stages.asked import STAGES
from cfgc.stages.pipeline import Declared, Said
from cfgc.validate.places import Location, key_label, value_label
from cfgc.validate.remedy import Remedy, one_fix


def is_a_pipeline(graph: SpecGraph) -> Diagnostic:
    """CFG668: one run is meant, and the spec is several."""
    origins = (
        held for layer in graph.layers for held in (layer.patch.sets.get(STAGES), layer.patch.appends.get(STAGES))
    )
    origin = next((one for one in origins if one and one.span), None)
    place = (origin.key_span or origin.span) if origin else None
    return _pipeline_for_a_run(
        graph, Label(place, "its stages") if place else None, "name the spec of one of its stages"
    )


def pipeline_inside(declared: Declared, said: Said, graph: SpecGraph) -> Diagnostic:
    """CFG668: the spec of a stage has stages itself."""
    return _pipeline_for_a_run(graph, _at(declared, said, "spec", text="a stage is one run"), "name its stages here")


def named_as_keys(graph: SpecGraph, problems: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """``problems`` of layers that name a stage as if it were a table, with where its values do belong."""
    named = {span: path for layer in graph.layers for path, span in _keys(layer.patch) if path[:1] == STAGES != path}
    for problem in problems:
        path = named.get(problem.primary.span) if problem.primary else None
        yield replace(problem, helps=(*problem.helps[:1], *_belongs(path))) if path else problem


def _keys(patch: Patch) -> Iterator[tuple[Path, Span | None]]:
    yield from ((path, origin.key_span) for path, origin in (*patch.sets.items(), *patch.appends.items()))
    yield from (*patch.unsets.items(), *patch.tables.items())


def _belongs(path: Path) -> Iterator[str]:
    """Where it can be said what ``path`` was to say."""
    yield "`stages` is an array: what one of them changes stands in its `set`, where the stage is written"
    key = path[3:] if path[2:3] == ("set",) else path[2:]
    if len(key) > 1:
        yield f"'{dotted(key)}=VALUE' is for every stage that runs this spec"


def _pipeline_for_a_run(graph: SpecGraph, label: Label | None, help_: str) -> Diagnostic:
    message = f"`{graph.root.logical}` is a pipeline, and one run is meant"
    return Diagnostic("CFG668", message, label, helps=(help_,))


def _at(declared: Declared, said: Said, *inside: str | int, text: str = "") -> Label | None:
    return value_label(declared.root, ("stages", said.position, *inside), text)


def same_name(declared: Declared, said: Said, other: Said) -> Diagnostic:
    """CFG660: two stages are called the same."""
    first = _at(declared, other, "name", text="the first of that name")
    return Diagnostic(
        "CFG660",
        f"two stages are called `{said.name}`",
        _at(declared, said, "name", text="the same name again"),
        (first,) if first else (),
        notes=("a stage's name is its directory, and what `needs` and `${stages.…}` call it",),
        helps=(f'give it a name of its own, such as `name = "{said.name}_2"`',),
        fixes=one_fix(Remedy(declared.root).set((*STAGES, said.position, "name"), f"{said.name}_2")),
    )


def name_cannot_be_referred_to(declared: Declared, said: Said) -> Diagnostic:
    """CFG660: in an expression a dash is a minus, and a dot leads to a key."""
    plain = "".join(char if char.isalnum() else "_" for char in said.name)
    plain = f"{plain}_" if plain.isidentifier() else f"stage_{plain}"  # a keyword, or a digit first
    plain = plain.rstrip("_") if plain.rstrip("_") != said.name else plain
    remedy = Remedy(declared.root)
    edits = [*remedy.set((*STAGES, said.position, "name"), plain)]
    for one in declared.stages:
        for index in (index for index, name in enumerate(one.needs) if name == said.name):
            edits += remedy.set((*STAGES, one.position, "needs", index), plain)
    return Diagnostic(
        "CFG660",
        f"no expression can name a stage that is called `{said.name}`",
        _at(declared, said, "name", text="letters, digits and `_` only, a letter first"),
        helps=(f'write `name = "{plain}"`',),
        fixes=one_fix(edits),
    )


def unknown_need(declared: Declared, said: Said, index: int) -> Diagnostic:
    """CFG661: ``needs`` names no stage."""
    found = _unknown_stage(declared, said.needs[index], _at(declared, said, "needs", index))
    close = _meant(declared, said.needs[index], said)
    location: Location = (*STAGES, said.position, "needs", index)
    remedy = Remedy(declared.root)
    return replace(found, fixes=one_fix(remedy.set(location, close) if close else remedy.take_back(location)))


def unknown_stage(declared: Declared, reference: RefPath, span: Span | None) -> Diagnostic:
    """CFG661: a reference names no stage."""
    name = str(reference[1]) if len(reference) > 1 else ""
    found = _unknown_stage(declared, name, Label(span, "") if span else None)
    close = _meant(declared, name)
    mended = shown((STAGES[0], close, *reference[2:])) if close else ""
    fixes = mending.rewording(span, mended, certain=False) if close else ()
    return replace(found, fixes=(*fixes, *mending.removing_around(span)))


def _meant(declared: Declared, name: str, said: Said | None = None) -> str | None:
    """The stage that ``name`` may have been meant to be, another one than ``said``."""
    return nearest(name, [one.name for one in declared.stages if one != said])


def _unknown_stage(declared: Declared, name: str, label: Label | None) -> Diagnostic:
    names = [said.name for said in declared.stages]
    close = _meant(declared, name)
    return Diagnostic(
        "CFG661",
        f"there is no stage `{name}`",
        Label(label.span, f"did you mean `{close}`?") if label and close else label,
        notes=(f"stages of this pipeline: {', '.join(names)}",),
        helps=(f"write `{close}`",) if close else (),
    )


def unknown_output(reference: RefPath, given: Sequence[str], kind: str, span: Span | None) -> Diagnostic:
    """CFG662: a stage of that kind does not write such a thing."""
    _, stage, *rest = reference
    name = shown(tuple(rest)) if rest else ""
    close = nearest(name, given)
    return Diagnostic(
        "CFG662",
        f"the stage `{stage}` has no output `{name}`" if name else f"`${{stages.{stage}}}` names no output",
        Label(span, f"did you mean `{close}`?" if close else f"`{stage}` is a task of kind {kind}") if span else None,
        notes=(f"a stage of kind {kind} gives {', '.join(f'`{one}`' for one in given)}",),
        helps=(f"write `${{stages.{stage}.{close or given[0]}}}`",),
        fixes=mending.rewording(span, shown((*reference[:2], close or given[0])), certain=False),
    )


def circle(declared: Declared, stages: Sequence[Said]) -> Diagnostic:
    """CFG663: each waits for another one, so that none can start."""
    names = [said.name for said in stages]
    left = [name for name in stages[0].needs if name not in names]
    labels = [_at(declared, said, "needs", text=f"`{said.name}` waits") for said in stages]
    first, *others = labels
    return Diagnostic(
        "CFG663",
        f"the stage `{names[0]}` needs itself" if len(names) == 1 else "stages wait for each other in a circle",
        first,
        tuple(label for label in others if label),
        notes=(" → ".join([*names, names[0]]) + ": none of them can start",),
        helps=("take one of them out of `needs`",),
        fixes=one_fix(Remedy(declared.root).set((*STAGES, stages[0].position, "needs"), left)),
    )


def not_needed(declared: Declared, said: Said, reference: RefPath, span: Span | None) -> Diagnostic:
    """CFG664: what is read may not be there yet."""
    stage = str(reference[1])
    needs = ", ".join(f'"{name}"' for name in (*said.needs, stage))
    circular = said.name == stage or said.name in declared.upstream(stage)
    own = "it is the stage itself" if said.name == stage else f"`{stage}` waits for `{said.name}`"
    where = _at(declared, said, "needs" if said.needs else "name", text=f"what `{said.name}` waits for")
    where = where if said.needs else _at(declared, said, "name", text="it waits for no stage")
    return Diagnostic(
        "CFG664",
        f"the stage `{said.name}` reads its own output"
        if said.name == stage
        else f"the stage `{said.name}` reads from `{stage}`, and does not wait for it",
        Label(span, own if circular else "not written yet when this stage starts") if span else None,
        (where,) if where and not circular else (),
        helps=() if circular else (f"write `needs = [{needs}]` for the stage `{said.name}`",),
        fixes=mending.removing_around(span)
        if circular
        else one_fix(Remedy(declared.root).set((*STAGES, said.position, "needs"), [*said.needs, stage])),
    )


def no_path_there(resolved: Resolved, location: Location, span: Span | None) -> Diagnostic:
    """CFG665: the value of the key is no path, or the output is not the beginning of it."""
    key = ".".join(str(part) for part in location if isinstance(part, str))
    return Diagnostic(
        "CFG665",
        f"`{key}` takes no path of another stage",
        Label(span, "a path that only the node knows") if span else key_label(resolved, location, ""),
        notes=("an output can be the value of a key that is a path of the node, or its beginning",),
        helps=("for a function or a script write `task.paths.NAME = …`: it finds the path in the variable NAME",),
        fixes=mending.removing_around(span),
    )


def decided_by_the_pipeline(resolved: Resolved, location: Location, key: str, why: str) -> Diagnostic:
    """CFG666: a key that a stage cannot have of its own."""
    return Diagnostic(
        "CFG666",
        f"a stage cannot set `{key}`",
        key_label(resolved, location, ""),
        notes=(why,),
        helps=(f"leave out `{key}`",),
        fixes=one_fix(Remedy(resolved).take_back(location)),
    )


def of_no_stage(root: Resolved, section: str, paths: Sequence[Location], *, own_task: bool) -> Diagnostic:
    """CFG667: every stage has a spec of its own, or ``own_task``s that read nothing of training."""
    remedy, what = Remedy(root), "spec" if not own_task else "task"
    return Diagnostic(
        "CFG667",
        f"`[{section}]` is read by no stage: each has a {what} of its own",
        key_label(root, paths[0], "would be ignored"),
        notes=(
            "it is for stages that train or evaluate, and none of those runs this spec"
            if own_task
            else "a stage without `spec` runs this spec; those with one take from here what their `set` says",
        ),
        helps=(
            f"drop `[{section}]`"
            if own_task
            else f"move `[{section}]` into the specs of the stages, or a base of them",
        ),
        fixes=one_fix(edit for path in paths for edit in remedy.take_back(path)),
    )
