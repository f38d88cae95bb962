"""Composition and interpolation, against Hydra and OmegaConf themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf.errors import ConfigTypeError

from cfgc.diagnostics import Rejected
from cfgc.importing.branches import Branch, leaves, merged, plain
from cfgc.importing.hydra.composing import compose
from cfgc.importing.hydra.resolving import Resolver, UnresolvableError
from cfgc.importing.tree import DiskTree
from cfgc.importing.yaml_reading import read_yaml
from tests.unit.importing.memory_tree import MemoryTree

Files = Mapping[str, str]

TREES: dict[str, Files] = {
    "one file": {"config.yaml": "a: 1\nb: {c: 2, d: [1, x]}\n"},
    "the config goes over its defaults": {
        "config.yaml": "defaults:\n  - model: gpt\n  - _self_\nmodel: {width: 3}\n",
        "model/gpt.yaml": "width: 1\ndepth: 2\n",
    },
    "the defaults go over the config": {
        "config.yaml": "defaults:\n  - _self_\n  - model: gpt\nmodel: {width: 3, heads: 4}\n",
        "model/gpt.yaml": "width: 1\ndepth: 2\n",
    },
    "self is last when it is not placed": {
        "config.yaml": "defaults:\n  - model: gpt\nmodel: {width: 3}\n",
        "model/gpt.yaml": "width: 1\n",
    },
    "nested groups": {
        "config.yaml": "defaults:\n  - model: gpt\n  - _self_\nseed: 1\n",
        "model/gpt.yaml": "defaults:\n  - optim: adam\n  - _self_\nwidth: 8\n",
        "model/optim/adam.yaml": "lr: 1e-4\nname: adam\n",
    },
    "an absolute group goes below the asking package": {
        "config.yaml": "defaults:\n  - model: gpt\n",
        "model/gpt.yaml": "defaults:\n  - /optim: adam\nwidth: 8\n",
        "optim/adam.yaml": "lr: 1e-4\n",
    },
    "package directives": {
        "config.yaml": "defaults:\n  - optim@model.optim: adam\n  - data: text\n  - base@_global_: plain\n  - _self_\n",
        "optim/adam.yaml": "lr: 1e-4\n",
        "data/text.yaml": "# @package _global_\nmodel: {data: {path: /d}}\n",
        "base/plain.yaml": "seed: 3\n",
    },
    "a header with keys is absolute": {
        "config.yaml": "defaults:\n  - model: gpt\n",
        "model/gpt.yaml": "defaults:\n  - part: one\nwidth: 1\n",
        "model/part/one.yaml": "# @package trainer.x\ny: 1\n",
    },
    "an override replaces a nested choice": {
        "config.yaml": "defaults:\n  - model: gpt\n  - _self_\n  - override model/optim: sgd\n",
        "model/gpt.yaml": "defaults:\n  - optim: adam\nwidth: 8\n",
        "model/optim/adam.yaml": "lr: 1e-4\n",
        "model/optim/sgd.yaml": "lr: 1\nmomentum: 0.9\n",
    },
    "optional, null and lists of options": {
        "config.yaml": "defaults:\n  - optional local: nothing\n  - data: [a, b]\n  - extra: null\n  - _self_\nz: 1\n",
        "data/a.yaml": "one: 1\nboth: a\n",
        "data/b.yaml": "two: 2\nboth: b\n",
        "extra/x.yaml": "no: 1\n",
    },
    "a config by its path": {
        "config.yaml": "defaults:\n  - base\n  - model/gpt\n  - _self_\nseed: 2\n",
        "base.yaml": "seed: 1\nname: base\n",
        "model/gpt.yaml": "width: 4\n",
    },
    "hydra's own settings are left out": {
        "config.yaml": "defaults:\n  - override hydra/job_logging: disabled\n  - _self_\nhydra: {run: {dir: x}}\n",
    },
    "lists and nulls are replaced, empty tables add nothing": {
        "config.yaml": "defaults:\n  - model: gpt\n  - _self_\nmodel: {a: [3], b: null, c: {}, d: {x: 1}}\n",
        "model/gpt.yaml": "a: [1, 2]\nb: {k: 1}\nc: {k: 2}\nd: null\n",
    },
    "numbers, words and texts as OmegaConf has them": {
        "config.yaml": (
            "a: 1e-5\nb: 5e8\nc: yes\nd: 'no'\ne: 010\nf: 0x1F\ng: 1_000\nh: 2026-01-02\ni: ~\nj: .5\nk: 1.\nl: 12e03\n"
        ),
    },
    "interpolation": {
        "config.yaml": (
            "a: {b: 2, c: '${.b}', d: '${..e}', f: '${a.b}x${e}', g: '${a.${which}}'}\ne: 7\nwhich: b\n"
            "list: [1, 2, '${e}']\n"
            "first: '${list.0}'\nwhole: '${a}'\nkey: '${a[b]}'\nescaped: '\\${e}'\npick: '${oc.select:nothing,5}'\n"
        ),
    },
}


def written(files: Files, root: Path) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def of_hydra(root: Path) -> Any:
    with initialize_config_dir(str(root), version_base="1.3"):
        return hydra_compose("config")


def resolved(branch: Branch) -> dict[str, Any]:
    resolver = Resolver(branch)
    return {".".join(path): resolver.value(path, entry) for path, entry in leaves(branch)}


def composed(root: Path) -> Branch:
    tree = DiskTree(root)
    data = tree.read("config.yaml")
    assert data is not None
    return compose(tree, "config.yaml", read_yaml("config.yaml", data), "")


@pytest.mark.filterwarnings("ignore:In 'config'")
@pytest.mark.parametrize("name", TREES)
def test_composes_and_resolves_as_hydra_does(name: str, tmp_path: Path) -> None:
    root = written(TREES[name], tmp_path)
    expected = of_hydra(root)
    branch = composed(root)
    assert plain(branch) == OmegaConf.to_container(expected, resolve=False)
    container = OmegaConf.to_container(expected, resolve=True)
    for dotted, value in resolved(branch).items():
        node = container
        for key in dotted.split("."):
            assert isinstance(node, dict)
            node = node[key]
        assert value == node, dotted


def test_a_circle_of_references_is_said_and_not_followed() -> None:
    branch = read_yaml("config.yaml", b"a: ${b}\nb: ${c}\nc: ${a}\n").root
    with pytest.raises(UnresolvableError, match="refers to itself"):
        resolved(branch)


def test_doubling_text_ends_at_once() -> None:
    lines = ["v0: " + "x" * 100, *(f"v{i}: '${{v{i - 1}}}${{v{i - 1}}}'" for i in range(1, 40))]
    branch = read_yaml("config.yaml", "\n".join(lines).encode()).root
    with pytest.raises(UnresolvableError):
        resolved(branch)


def test_doubling_lists_end_at_once() -> None:
    lines = ["v0: [1, 2]", *(f"v{i}: ['${{v{i - 1}}}', '${{v{i - 1}}}']" for i in range(1, 40))]
    branch = read_yaml("config.yaml", "\n".join(lines).encode()).root
    with pytest.raises(UnresolvableError):
        resolved(branch)


@pytest.mark.parametrize("text", ["${" * 500 + "}" * 500, "${a", "${multiply:1,x}", "${div:1,0}", "${max:}"])
def test_broken_interpolation_is_unresolvable(text: str) -> None:
    branch = read_yaml("config.yaml", f"b: '{text}'\n".encode()).root
    with pytest.raises(UnresolvableError):
        resolved(branch)


def test_the_environment_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "hunter2")
    branch = read_yaml(
        "config.yaml", b"a: ${oc.env:SECRET_OF_THE_SHELL,fallback}\nb: ${oc.env:SECRET_OF_THE_SHELL}\n"
    ).root
    resolver = Resolver(branch)
    found = dict(leaves(branch))
    assert resolver.value(("a",), found["a",]) == "fallback"
    with pytest.raises(UnresolvableError, match="environment"):
        resolver.value(("b",), found["b",])


@pytest.mark.parametrize(
    "defaults",
    [
        "{model: gpt}",
        "[{model: gpt, data: x}]",
        "[1]",
        "[_self_, _self_]",
        "[model: '${x}']",
        "[model: '???']",
        "[[a]]",
    ],
)
def test_a_malformed_defaults_list_has_a_place(defaults: str) -> None:
    document = read_yaml("config.yaml", f"defaults: {defaults}\na: 1\n".encode())
    with pytest.raises(Rejected) as rejected:
        compose(MemoryTree({"model/gpt.yaml": "b: 1"}), "config.yaml", document, "")
    assert [found.code for found in rejected.value.diagnostics] == ["CFG144"]
    assert rejected.value.diagnostics[0].primary is not None


WORDS = st.text("abcxyz e-.", max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, width=32) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4)


@given(lower=TABLES, upper=TABLES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_reads_and_merges_as_omegaconf_does(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    texts = [OmegaConf.to_yaml(OmegaConf.create(table)) for table in (lower, upper)]
    try:
        expected = OmegaConf.to_container(OmegaConf.merge(*(OmegaConf.create(text) for text in texts)))
    except ConfigTypeError:  # a list over a table
        reject()
    branches = [read_yaml("x.yaml", text.encode()).root for text in texts]
    assert plain(merged(*branches)) == expected
