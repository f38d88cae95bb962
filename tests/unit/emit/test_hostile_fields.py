"""Every place of a spec that holds text: a hostile string is refused there, or arrives wherever a plain word does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from posixpath import basename

import pytest

from cfgc.diagnostics import Diagnostic, Rejected
from cfgc.emit import vendored
from cfgc.emit.bundle import Bundle
from cfgc.load.disk import DiskReader
from cfgc.load.reader import MemoryReader
from cfgc.lower.plan import AnyPlan
from cfgc.packing.patterns import fits
from cfgc.pipeline import check, emit, lower
from cfgc.resources import shipped_dir
from cfgc.stages.pipeline import PipelinePlan
from tests.hostile import COUNT, hostile_strings
from tests.hostile_bundles import Arrivals, Trail, arrivals
from tests.hostile_places import Place, places, type_takes
from tests.hostile_scenes import OWN, SCENES, USELESS, plain_word, scenes_of, typed
from tests.hostile_specs import Cell, hash_of, spec_of

STAGE = 'overlays.hardware = "cpu"\nexperiment.name = "o"\ntask.inline = "x"\n'
"""What is in any file that a stage names."""


PACKED = ("package.include", "package.subdirectory")
"""Places of directories that there have to be."""


def runs() -> Mapping[str, list[Place]]:
    """What is tried together, by the scene."""
    found: dict[str, list[Place]] = {}
    for place in places():
        for scene in scenes_of(place):
            found.setdefault(scene, []).append(place)
    return found


RUNS = runs()
STRIDE = 37
"""Between the strings of two neighbours in one spec, so that a text that arrives in the wrong place is seen."""


SEEN = 25
"""Of those that a type refuses, one of so many is in a spec, to see at which place it is refused."""


@pytest.fixture(autouse=True)
def _without_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are the same in all bundles, and no string gets there."""
    monkeypatch.setattr(vendored, "vendored_runtime", dict)


@cache
def queues(run: str) -> tuple[tuple[tuple[Place, str], ...], ...]:
    """The strings that have to be tried in each place, without most of those that its type refuses.

    The forms of a path are one queue, as a key can be written in one way at a time.
    """
    found: dict[str, list[tuple[Place, str]]] = {}
    for place in RUNS[run]:
        texts = [text for at, text in enumerate(hostile_strings()) if at % SEEN == 0 or type_takes(typed(place), text)]
        found.setdefault(str(place) if place.several else place.path, []).extend((place, text) for text in texts)
    return tuple(map(tuple, found.values()))


def per_spec(run: str, place: Place) -> int:
    return SCENES[run].per if place.several else 1


def count_of(run: str) -> int:
    """How many specs take all strings through all places of ``run``."""
    return max(-(-len(queue) // per_spec(run, queue[0][0])) for queue in queues(run))


def cells_of(run: str, number: int) -> list[Cell]:
    """The strings of one spec of ``run``: from each queue those that are next, which begins elsewhere in each."""
    found = []
    for index, queue in enumerate(queues(run)):
        per = per_spec(run, queue[0][0])
        for slot, at in enumerate(range(number * per, min(number * per + per, len(queue)))):
            found.append(Cell(*queue[(at + STRIDE * index) % len(queue)], slot))
    return found


def reader_of(spec: str, cells: list[Cell]) -> MemoryReader:
    files = {cell.text: OWN for cell in cells if cell.place.path == "task.script" and cell.text not in {".", ".."}}
    files |= {cell.text: STAGE for cell in cells if cell.place.path == "stages[].spec"}
    folders = {cell.text.rstrip("/") for cell in cells if cell.place.path in PACKED and cell.text[:1] != "/"}
    files |= {f"{folder}/own.py": OWN for folder in folders if folder}
    specs = shipped_dir("specs")
    return MemoryReader({**files, "own.py": OWN, "s.toml": spec}, DiskReader(specs, specs))


def settled(run: str, given: list[Cell]) -> tuple[AnyPlan | PipelinePlan | None, list[Cell], Mapping[Cell, str]]:
    """The plan of the cells that are accepted, if any, those, and the code with which each other one was refused."""
    cells, refused = given, dict[Cell, str]()
    while cells:
        spec, lines = spec_of(SCENES[run], cells)
        try:
            return lower(check(reader_of(spec, cells), "s.toml")), cells, refused
        except Rejected as rejected:
            errors = [one for one in rejected.diagnostics if one.severity == "error"]
            blamed = {cell: error.code for error in errors for cell in blamed_by(error, lines)}
            blamed = blamed or {cell: errors[0].code for cell in cells if leaves_nothing(cell)}
            assert blamed, (run, errors, spec)
            refused |= blamed
            cells = [cell for cell in cells if cell not in blamed]
    return None, [], refused


def leaves_nothing(cell: Cell) -> bool:
    """Whether there is no code to pack without what ``cell`` excludes: the finding names what is included then."""
    return cell.place.path == "package.exclude" and fits("own.py", cell.text)


def blamed_by(error: Diagnostic, lines: Mapping[int, Cell]) -> list[Cell]:
    """The cell that ``error`` points at, or that it names beside what it points at."""
    labels = [label for label in (error.primary, *error.secondary) if label and label.span.source.logical == "s.toml"]
    cells = [cell for label in labels if (cell := lines.get(label.span.line))]
    return cells[:1]


PLAIN_KEY = "pm#q"
"""A plain word in a trail."""

AS_BY_DEFAULT = {("cluster.network_interface", "", "config.py"), ("cluster.log_dir", ".", "submit.sh")}
"""What says nothing else than the default, which is not written in that file."""

MARKED = 7007
"""The slot of the words of which ``marks`` tells."""


@cache
def marks(run: str) -> Mapping[Place, Mapping[Trail, frozenset[str]]]:
    """Where a plain word of each place arrives, and as part of what: ``{}`` stands for it."""
    words = [(place, plain_word(place).replace("plain", f"pm{n}q")) for n, place in enumerate(RUNS[run])]
    cells = [Cell(place, word, MARKED) for place, word in words if not useless(run, place)]
    told: dict[Place, Mapping[Trail, frozenset[str]]] = {}
    for form in ("text", "variable", "below"):
        told |= _marked(run, [cell for cell in cells if not told.get(cell.place) and _can_be(form, cell.place)])
    return told


def _can_be(form: str, place: Place) -> bool:
    """Whether ``place`` can be in a spec whose paths are written in that ``form``."""
    return place.several or place.form == form


def _marked(run: str, cells: list[Cell]) -> Mapping[Place, Mapping[Trail, frozenset[str]]]:
    plan, kept, refused = settled(run, cells)
    assert not refused, refused
    if plan is None:
        return {}
    found = arrivals([emit(plan)])[0]
    return {cell.place: dict(arrived(cell, found)) for cell in kept}


def useless(run: str, place: Place) -> bool:
    return run in USELESS or str(place) in USELESS


def arrived(cell: Cell, found: Arrivals) -> Iterator[tuple[Trail, frozenset[str]]]:
    for trail, texts in found.items():
        if any(PLAIN_KEY in part for part in trail):
            continue  # below a key that is another cell's, and another one in each spec
        if cell.text.strip("/")[:2] == "pm" and (held := {text for text in texts if cell.text in text}):
            yield trail, frozenset(text.replace(cell.text, "{}") for text in held)


def expected(cell: Cell, trail: Trail, template: str) -> str | None:
    """What stands for ``template`` when the cell's own string stands in its place; None where keys are written flat."""
    text = cell.text
    if cell.place.form.endswith("key") and trail[-1] == "key" and template != "{}":
        return None
    if not text and trail[0].endswith((".sh", ".sbatch")):
        return None  # most options of Slurm are left out then
    if trail[0] == "submit.sh" and text.startswith("SLURM_"):
        return None  # Slurm sets it in the job, so that nobody is asked for it
    if (cell.place.path, text, trail[0]) in AS_BY_DEFAULT:
        return None
    if (trail[0].endswith("resolved.toml") or "overrides" in trail) and not cell.place.form.endswith("key"):
        text = text.replace("${", "$${")
    for base in ("/pwd", "/home"):
        if f"{base}/{{}}" in template and (text == "." or text.startswith("/")):
            template = template.replace(f"{base}/{{}}", base if text == "." else "{}")
    if trail[0] == "package.tar" or (cell.place.path in PACKED and trail[0] == "manifest.json"):
        text = text.rstrip("/")
    if template == "script/{}":
        text = basename(text)
    named = template.replace(str(hash_of(Cell(cell.place, "", MARKED))), str(hash_of(cell)))
    return named.replace(str(MARKED), str(cell.slot)).replace("{}", text)


def lost(run: str, kept: Iterable[Cell], found: Arrivals) -> Iterator[tuple[str, str, Trail, str]]:
    """What is not in a bundle as it is in the spec."""
    for cell in kept:
        for trail, templates in marks(run).get(cell.place, {}).items():
            for template in templates:
                text = expected(cell, trail, template)
                if text is not None and text not in found.get(trail, ()):
                    yield str(cell.place), cell.text, trail, template


@pytest.mark.parametrize("run", RUNS)
def test_no_place_is_forgotten(run: str) -> None:
    """A plain word is accepted in each that has a use for text, and is seen in a file besides resolved.toml."""
    for place in RUNS[run]:
        trails = marks(run).get(place, {})
        assert useless(run, place) or plain_word(place)[:5] not in {"plain", "/plai"} or len(trails) > 1, place


def tried(run: str, numbers: Iterable[int]) -> Counter[str]:
    """How often each place kept its string in those specs, with all of them in the bundles as they are."""
    bundles, kept = list[Bundle](), list[list[Cell]]()
    for number in numbers:
        cells = cells_of(run, number)
        plan, mine, refused = settled(run, cells)
        assert set(mine) | set(refused) == set(cells)
        if plan:
            bundles.append(emit(plan))
            kept.append(mine)
    wanted = {trail[0] for trails in marks(run).values() for trail in trails}
    for mine, found in zip(kept, arrivals(bundles, wanted), strict=True):
        assert list(lost(run, mine, found)) == []
    return Counter(str(cell.place) for mine in kept for cell in mine)


@pytest.mark.parametrize("run", RUNS)
def test_a_string_is_refused_with_its_place_or_arrives(run: str) -> None:
    tried(run, [count_of(run) // 4])


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_every_string_in_every_place_is_refused_there_or_arrives(run: str) -> None:
    kept = tried(run, range(count_of(run)))
    free = [place for place in RUNS[run] if place.form in {"text", "value", "item", "below"} and takes_any(place)]
    assert all(kept[str(place)] > COUNT / 2 for place in free if not useless(run, place)), kept


def takes_any(place: Place) -> bool:
    """Whether nearly all strings are good for the type, and none is asked for."""
    return plain_word(place) == "plain" and sum(type_takes(place, text) for text in hostile_strings()) > COUNT * 0.6
