"""Patches compose: the laws that merging rests on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cfgc.origin import Layer, Origin, Path, Value
from cfgc.patch import Patch, PathSet, apply, compose, leaves_of
from cfgc.source import SourceFile, Span

SOURCE = SourceFile("test.toml", "x" * 64)
PARTS = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(tuple)
SPANS = st.integers(0, 60).map(lambda start: Span(SOURCE, start, start + 1))
NUMBERS: st.SearchStrategy[Value] = st.integers(0, 9)
ARRAYS = st.lists(NUMBERS, max_size=2)


def origins(values: st.SearchStrategy[Value], appended: bool) -> st.SearchStrategy[Origin]:
    layers = st.sampled_from([Layer("base", "a.toml"), Layer("spec", "b.toml")])
    return st.builds(Origin, layers, values, SPANS, SPANS, appended=st.just(appended))


@st.composite
def patches(draw: st.DrawFn) -> Patch:
    """A patch whose written leaves never lie below one another, as any TOML file's."""
    sets: dict[Path, Origin] = {}
    appends: dict[Path, Origin] = {}
    for path in draw(st.lists(PATHS, unique=True, max_size=5)):
        if PathSet([*sets, *appends]).related(path):
            continue
        if draw(st.booleans()):
            sets[path] = draw(origins(st.one_of(NUMBERS, ARRAYS), appended=False))
        else:
            appends[path] = draw(origins(ARRAYS, appended=True))
    tables = draw(st.dictionaries(PATHS, SPANS, max_size=2))
    return Patch(sets, tables, draw(st.dictionaries(PATHS, SPANS, max_size=2)), appends)


def trees() -> st.SearchStrategy[Patch]:
    return patches().map(lambda patch: Patch(sets=leaves_of(patch)))


@given(patches(), patches(), patches())
def test_composition_is_associative(a: Patch, b: Patch, c: Patch) -> None:
    assert compose(compose(a, b), c) == compose(a, compose(b, c))


@given(patches())
def test_the_empty_patch_is_the_identity(patch: Patch) -> None:
    assert compose(Patch(), patch) == patch
    assert compose(patch, Patch()) == patch


@given(trees(), patches(), patches())
def test_applying_a_composition_is_applying_both(tree: Patch, a: Patch, b: Patch) -> None:
    assert apply(compose(a, b), tree.sets) == apply(b, apply(a, tree.sets))


@given(trees(), patches())
def test_sets_can_be_applied_again(tree: Patch, patch: Patch) -> None:
    only_sets = Patch(sets=patch.sets, unsets=patch.unsets)
    once = apply(only_sets, tree.sets)
    twice = apply(only_sets, once)
    assert {path: o.value for path, o in twice.items()} == {path: o.value for path, o in once.items()}


@given(trees(), patches())
def test_no_leaf_lies_below_another(tree: Patch, patch: Patch) -> None:
    merged = apply(patch, tree.sets)
    assert not any(PathSet(merged).clashes(path) for path in merged)
    assert not any(link.appended for origin in merged.values() for link in origin.chain())


def written(value: Value, start: int, *, appended: bool = False, layer: str = "a.toml") -> Origin:
    span = Span(SOURCE, start, start + 1)
    entries = range(len(value)) if isinstance(value, list) else ()
    inner: dict[tuple[str | int, ...], Span] = {(entry,): span for entry in entries}
    return Origin(Layer("base", layer), value, span, span, inner=inner, appended=appended)


def test_a_chain_keeps_everything_replaced_in_order() -> None:
    path = ("training", "seed")
    merged = leaves_of(Patch())
    for value in (1, 2, 3):
        merged = apply(Patch(sets={path: written(value, value)}), merged)
    assert [origin.value for origin in merged[path].chain()] == [3, 2, 1]


def test_an_append_adds_to_the_array_and_keeps_each_elements_place() -> None:
    path = ("data", "sources")
    base = apply(Patch(sets={path: written([1, 2], 10)}), leaves_of(Patch()))
    merged = apply(Patch(appends={path: written([3], 20, appended=True)}), base)
    assert merged[path].value == [1, 2, 3]
    assert [merged[path].inner[(i,)].start for i in range(3)] == [10, 10, 20]
    assert [origin.value for origin in merged[path].chain()] == [[1, 2, 3], [1, 2]]


def test_an_append_to_nothing_starts_the_array() -> None:
    merged = apply(Patch(appends={("a",): written([1], 5, appended=True)}), leaves_of(Patch()))
    assert merged[("a",)].value == [1]


def test_unset_of_a_table_removes_all_below_it() -> None:
    tree = {("a", "b"): written(1, 1), ("a", "c", "d"): written(2, 2), ("e",): written(3, 3)}
    merged = apply(Patch(unsets={("a",): Span(SOURCE, 0, 1)}), tree)
    assert list(merged) == [("e",)]
