"""Quoting: whatever a spec holds reaches the process byte for byte, and nothing else does."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, UndefinedError

from cfgc.emit.shell import Sh, path_expression, quoted, word
from cfgc.lower.plan import NodePath
from tests.unit.emit.samples import HOSTILE

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def environment(**templates: str) -> Environment:
    from cfgc.emit import shell

    made: Environment = shell._environment().overlay(loader=DictLoader(templates))
    return made


def argv_of(script: str) -> list[str]:
    """What ``script``, one command's arguments, makes of them."""
    program = f"printf '%s\\0' {script}"
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", program], capture_output=True, check=True)
    return result.stdout.decode().split("\0")[:-1]


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8))
def test_any_text_reaches_argv_through_a_template(values: list[str]) -> None:
    template = environment(t="{% for value in values %} {{ value }}{% endfor %}").get_template("t")
    assert argv_of(template.render(values=values)) == values


def test_hostile_text_reaches_the_environment() -> None:
    template = environment(t="{% for value in values %}V={{ value }} printenv V; {% endfor %}").get_template("t")
    script = template.render(values=[text for text in HOSTILE if "\n" not in text])
    result = subprocess.run(["bash", "-euc", script], capture_output=True, check=True)
    assert result.stdout.decode().splitlines() == [text for text in HOSTILE if "\n" not in text]


@given(texts)
def test_quoted_text_shows_all_that_it_holds(text: str) -> None:
    assert quoted(text).isprintable()


@pytest.mark.parametrize("value", [None, True, False, 1.5, ["a"], ("a",), {"a": 1}, b"a", "nul\0"])
def test_only_words_can_be_printed(value: object) -> None:
    template = environment(t="{{ value }}").get_template("t")
    with pytest.raises(TypeError):
        template.render(value=value)


def test_numbers_and_shell_text_stand_as_they_are() -> None:
    assert environment(t="{{ a }} {{ b }}").get_template("t").render(a=12, b=Sh('"$HOME"/x')) == '12 "$HOME"/x'


@pytest.mark.parametrize("template", ["{{ missing }}", "{% if missing %}x{% endif %}", "{{ range(3) }}"])
def test_an_unknown_name_is_an_error_and_there_are_no_globals(template: str) -> None:
    with pytest.raises(UndefinedError):
        environment(t=template).get_template("t").render()


@pytest.mark.parametrize("text", ["", "a b", "a\n#SBATCH --x", "$(id)", "a'b", 'a"b', "a;b", "a`b`", "a\\b", "é"])
def test_what_is_no_plain_word_stays_out_of_directives(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain word"):
        word(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (NodePath("cwd", "", "runs/a"), "/start dir/runs/a"),
        (NodePath("cwd", "", "."), "/start dir"),
        (NodePath("absolute", "", "/data/it's $HOME"), "/data/it's $HOME"),
        (NodePath("env", "SCRATCH", "runs/$x"), "/scra tch/$SCRATCH/runs/$x"),
        (NodePath("env", "SCRATCH", "."), "/scra tch/$SCRATCH"),
    ],
)
def test_node_paths_expand_to_one_word(path: NodePath, expected: str) -> None:
    setting = "PWD='/start dir'; SCRATCH='/scra tch/$SCRATCH'; "
    result = subprocess.run(
        ["bash", "-euc", f"{setting} printf '%s\\0' {path_expression(path)}"], capture_output=True, check=True
    )
    assert result.stdout.decode() == expected + "\0"
