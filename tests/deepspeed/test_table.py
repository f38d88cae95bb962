"""The committed table of DeepSpeed's keys, held against the DeepSpeed that is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import deepspeed
import pytest
import torch
from deepspeed.runtime.zero.muon.original_muon import MuonWithAuxAdam

from cfgc.deepspeed.config import Path as Keys
from cfgc.deepspeed.releases import history, known_releases, newest_release, release, renamed
from cfgc.deepspeed.table import MISSING, Key, Named, Release
from tools.deepspeed_table.changes import DOCUMENT, document
from tools.deepspeed_table.extracting import extract
from tools.deepspeed_table.proving.comparing import READ_LATER, differences
from tools.deepspeed_table.proving.observing import Observed, installed_version, observe
from tools.deepspeed_table.storing import TABLE, dumped, load, merge, split


@pytest.fixture(scope="module")
def table() -> Release:
    return release(installed_version())


@pytest.fixture(scope="module")
def seen(table: Release) -> Observed:
    return observe(table)


def test_the_installed_deepspeed_is_as_the_table_says(table: Release, seen: Observed) -> None:
    assert differences(table, seen) == []


def test_enough_was_seen(table: Release, seen: Observed) -> None:
    """The comparison is not empty: fields, raw keys, defaults, values and refusals were all looked at."""
    assert len(seen.models) >= 20
    assert len(seen.asked) >= 170
    assert sum(bool(found) for found in seen.defaults.values()) >= 100
    assert all(any(taken for _, taken in tried) for path, tried in seen.takes.items() if not table.keys[path].refused)
    assert len(seen.texts) >= 6
    assert {path for path, refused in seen.refused.items() if refused} >= {("amp",), ("nebula",), ("elasticity",)}


def test_the_table_is_what_the_source_of_the_installed_release_says() -> None:
    root = Path(deepspeed.__file__).parents[1]
    assert extract(root) == split(load())[installed_version()]


# Wrong tables: every key is made wrong in one way, and every one must be found out.

Change = Callable[[Key], Key | None]


def _known_later(path: Keys) -> bool:
    """Only reading the source tells of the key, or it is DeepSpeed's to hand on and the user's to name."""
    return any(path[: len(later)] == later for later in READ_LATER)


def _plain(key: Key) -> bool:
    """Whether the key has facts of its own: another spelling has those of the key that it stands for."""
    return not key.alias_of and not key.refused and not _known_later(key.path)


def _is_table(key: Key) -> bool:
    return "table" in key.kinds


def _checkable(key: Key) -> bool:
    return _plain(key) and _is_table(key) and not key.free


def _has_default(key: Key) -> bool:
    return _plain(key) and key.default is not MISSING and not _is_table(key)


def _field(key: Key) -> bool:
    """Whether a pydantic model has the key as a field."""
    return _plain(key) and key.coerces


def _choosing(key: Key) -> bool:
    return _plain(key) and bool(_noticed(key)) and (key.coerces or key.path in CHECKED_WHEN_PARSED) and not key.items


def _noticed(key: Key) -> list[Any]:
    """The choices that can be missed: models take ``auto`` for every key."""
    return [choice for choice in key.choices if choice != "auto" or not key.coerces]


def _without_choice(key: Key, choice: Any) -> Key:
    return replace(key, choices=tuple(other for other in key.choices if other != choice))


def _only_auto(key: Key) -> bool:
    return _field(key) and key.choices == ("auto",)


CHECKED_WHEN_PARSED = {
    ("communication_data_type",),
    ("seq_parallel_communication_data_type",),
    ("gradient_allreduce_op",),
    ("checkpoint", "tag_validation"),
    ("checkpoint", "writer", "type"),
    ("checkpoint", "writer", "data_parallel"),
    ("torch_autocast", "dtype"),
}


def _bounded(bound: str, by: float | None) -> tuple[str, Callable[[Key], bool], Change]:
    def other(key: Key) -> Key:
        changed: dict[str, Any] = {bound: None if by is None else getattr(key, bound) + by}
        return replace(key, **changed)

    name = f"{bound} {'left out' if by is None else f'off by {by}'}"
    return name, lambda key: _field(key) and getattr(key, bound) is not None, other


KINDS = ("bool", "int", "float", "str", "null", "array", "table")


def _of_kind(kind: str) -> tuple[str, Callable[[Key], bool], Change]:
    def fits(key: Key) -> bool:
        same = (kind == "int" and "float" in key.kinds) or (kind == "bool" and key.kinds >= {"int", "str"})
        return _field(key) and not same and key.kinds != {kind} and len(key.kinds) < len(KINDS)

    return f"kind {kind} the other way", fits, lambda key: replace(key, kinds=key.kinds ^ {kind})


WRONG: list[tuple[str, Callable[[Key], bool], Change]] = [
    ("left out", lambda key: not _known_later(key.path), lambda _: None),
    ("another default", _has_default, lambda key: replace(key, default="cfgc text")),
    (
        "a default of another type",
        lambda key: _has_default(key) and isinstance(key.default, bool),
        lambda key: replace(key, default=int(key.default)),
    ),
    ("refused", lambda key: _plain(key) and not _is_table(key) and key.coerces, lambda key: replace(key, refused="no")),
    ("taken", lambda key: bool(key.refused), lambda key: replace(key, refused="")),
    (
        "closed or not",
        lambda key: _plain(key) and _is_table(key) and not key.free,
        lambda k: replace(k, closed=not k.closed),
    ),
    (
        "a section that null may be or not",
        lambda key: _checkable(key) and not key.coerces,
        lambda key: replace(key, kinds=key.kinds ^ {"null"}),
    ),
    ("deprecated or not", _field, lambda key: replace(key, deprecated=not key.deprecated)),
    ("required or not", _field, lambda key: replace(key, required=not key.required)),
    ("no choices", lambda key: _choosing(key) or _only_auto(key), lambda key: replace(key, choices=())),
    ("the first choice less", _choosing, lambda key: _without_choice(key, _noticed(key)[0])),
    ("the last choice less", _choosing, lambda key: _without_choice(key, _noticed(key)[-1])),
    ("nothing rejected", lambda key: _field(key) and bool(key.rejects), lambda key: replace(key, rejects=frozenset())),
    (
        "another replacement",
        lambda key: _field(key) and bool(key.replaced_by),
        lambda key: replace(key, replaced_by=("cfgc",)),
    ),
    (
        "no longer another spelling",
        lambda key: key.alias_of[:-1] == key.path[:-1] != (),
        lambda key: replace(key, alias_of=()),
    ),
    *(_bounded(bound, by) for bound in ("minimum", "above", "maximum") for by in (None, 3)),
    _bounded("below", None),
    *(_of_kind(kind) for kind in ("bool", "int", "str", "array", "table")),
]


@pytest.mark.parametrize(("chosen", "change"), [wrong[1:] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_a_wrong_key_is_found_out(
    chosen: Callable[[Key], bool], change: Change, table: Release, seen: Observed
) -> None:
    changed = {path: change(key) for path, key in table.keys.items() if chosen(key)}
    keys = {path: changed.get(path, key) for path, key in table.keys.items()}
    wrong = replace(table, keys={path: key for path, key in keys.items() if key is not None})
    found = {line.partition(":")[0] for line in differences(wrong, seen)}
    assert changed
    assert sorted({".".join(path) for path in changed} - found) == []


def test_a_key_of_nobody_is_found_out(table: Release, seen: Observed) -> None:
    tables = [path for path, key in table.keys.items() if _is_table(key) and not key.free and not _known_later(path)]
    more = {(*path, "cfgc_key"): Key((*path, "cfgc_key"), frozenset({"int"}), 1) for path in [(), *tables]}
    found = {line.partition(":")[0] for line in differences(replace(table, keys={**table.keys, **more}), seen)}
    assert sorted({".".join(path) for path in more} - found) == []


@pytest.mark.parametrize("part", ["optimizers", "schedulers"])
def test_a_wrong_parameter_is_found_out(part: str, table: Release, seen: Observed) -> None:
    named: dict[str, Named] = dict(getattr(table, part))
    seen_named = Observed(**{part: getattr(seen, part)})

    def only(those: dict[str, Named]) -> Release:
        kept: dict[str, Any] = {"keys": {}, "optimizers": {}, "schedulers": {}, part: those}
        return replace(table, **kept)

    assert differences(only(named), seen_named) == []
    for name, one in named.items():
        others = {other: kept for other, kept in named.items() if other != name}
        assert differences(only(others), seen_named)
        for parameters in _wrong(dict(one.parameters)) if getattr(seen, part)[name].parameters is not None else ():
            wrong = {**others, name: replace(one, parameters=parameters)}
            assert differences(only(wrong), seen_named), (name, parameters)


def _wrong(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**given, "cfgc_parameter": 1}
    for name, default in given.items():
        yield {other: value for other, value in given.items() if other != name}
        if default is not None and name not in {"torch_adam", "adam_w_mode"}:
            yield {**given, name: "cfgc text"}


# Reading the table


def test_the_table_holds_every_release_in_order() -> None:
    releases = known_releases()
    assert releases[0] == "0.12.0"
    assert newest_release() == releases[-1]
    assert installed_version() in releases
    assert list(releases) == sorted(releases, key=lambda version: [int(part) for part in version.split(".")])


def test_the_file_is_as_the_tool_writes_it() -> None:
    table = load()
    assert dumped(merge(split(table))) == TABLE.read_text("utf-8")
    assert TABLE.stat().st_size < 300_000


def test_the_list_of_changes_is_current() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert document(text, load()) == text


@pytest.mark.parametrize(
    ("path", "phases"),
    [
        ("gradient_clipping", [("0.12.0", "0.19.3", 0.0), ("0.19.3", "", 1.0)]),
        ("zero_optimization.offload_param.pin_memory", [("0.12.0", "0.19.5", False), ("0.19.5", "", True)]),
        ("aio.thread_count", [("0.12.0", "0.16.4", 1)]),
        ("zero_optimization.zenflow.topk_ratio", [("0.17.5", "0.19.6", 0.1), ("0.19.6", "", 0.1)]),
        ("gradient_acumulation_steps", []),
    ],
)
def test_the_history_of_a_key(path: str, phases: list[tuple[str, str, Any]]) -> None:
    found = history(tuple(path.split(".")))
    assert [(phase.since, phase.until, phase.key.default) for phase in found] == phases


def test_a_key_that_went_and_came_back_has_a_gap() -> None:
    first, *_, last = history(("compile",))
    assert (first.since, first.until, last.until) == ("0.13.2", "0.14.4", "")


def test_a_removed_section_is_refused_from_then_on() -> None:
    *_, last = history(("elasticity",))
    assert (last.since, last.until, bool(last.key.refused)) == ("0.19.8", "", True)
    assert history(("elasticity", "enabled"))[-1].until == "0.19.8"


def test_other_spellings_read_as_the_key_that_they_stand_for() -> None:
    keys = release("0.19.8").keys
    assert keys[("bfloat16", "enabled")].alias_of == ("bf16", "enabled")
    assert keys[("zero_optimization", "prefetch_bucket_size")].alias_of[-1] == "stage3_prefetch_bucket_size"
    assert keys[("tensor_parallel", "tensor_parallel", "tp_size")].alias_of == ("tensor_parallel", "tp", "tp_size")


def test_a_renamed_key_is_known_by_both_names() -> None:
    assert renamed(("aio", "thread_count")) == ("aio", "intra_op_parallelism")
    assert renamed(("seq_parallel_communication_data_type",)) == ("seq_parallel_comm_data_type",)
    assert renamed(("train_batch_size",)) == ()


def test_an_unknown_release_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        release("0.11.0")


def test_muon_fills_its_groups_up_as_the_table_says() -> None:
    halves = [{"params": [torch.nn.Parameter(torch.zeros(2, 2))], "use_muon": muon} for muon in (True, False)]
    matrices, others = MuonWithAuxAdam(halves).param_groups
    said = release(installed_version()).optimizers["muon"].parameters
    filled = {name: matrices[name] for name in ("lr", "momentum", "weight_decay", "ns_method")}
    filled |= {"betas": list(others["betas"]), "eps": others["eps"]}
    assert {name: said[name] for name in filled} == filled
