"""What bash does with a command where it stands: who sees its exit code, and which settings hold there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from cfgc.sbatch.script import MOST_COMMANDS, Command, Script, unquoted

if TYPE_CHECKING:
    from tree_sitter import Node

TESTED, PIPED, BACKGROUND, CAPTURED, FUNCTION, NESTED, HEREDOC, SUBSHELL = (
    "tested", "piped", "background", "captured", "function", "nested", "heredoc", "subshell",
)  # fmt: skip
"""``tested``: its failure is looked at (``||``, ``if``, ``!``). ``piped``: something else ends its pipeline."""

DEEPEST_NESTING = 100

_BODIES = frozenset({"do_group", "compound_statement", "then", "else_clause", "case_item"})
_CONDITIONAL = frozenset({"if_statement", "elif_clause"})
_PLACES = {
    "negated_command": TESTED, "command_substitution": CAPTURED, "process_substitution": CAPTURED,
    "function_definition": FUNCTION, "subshell": SUBSHELL, "heredoc_redirect": HEREDOC, "heredoc_body": HEREDOC,
    **dict.fromkeys(_BODIES, NESTED),
}  # fmt: skip
_LOOPS = frozenset({"while_statement", "for_statement", "c_style_for_statement"})


def above(node: Node) -> Iterator[tuple[Node, Node]]:
    """Each ancestor with the child that leads to ``node``, the nearest first; nobody nests deeper than this looks."""
    for _ in range(DEEPEST_NESTING):
        parent = node.parent
        if parent is None:
            return
        yield parent, node
        node = parent


def use_of(node: Node) -> frozenset[str]:
    """How the exit code of ``node`` is used, in the words above."""
    found = {BACKGROUND} if _is_sent_away(node) else set()
    for parent, child in above(node):
        found |= _use(parent, child)
        if _is_sent_away(parent):
            found.add(BACKGROUND)
        if parent.type == "function_definition":
            break
    return frozenset(found)


def _is_sent_away(node: Node) -> bool:
    after = node.next_sibling
    return after is not None and after.type == "&"


def _use(parent: Node, child: Node) -> set[str]:
    kind = parent.type
    if kind == "pipeline":
        return set() if child == parent.named_children[-1] else {PIPED}
    if kind == "list":
        return {TESTED} if child == parent.children[0] else set()
    if kind in _CONDITIONAL:
        return {TESTED} if is_condition(parent, child) else {NESTED}
    if kind in _LOOPS:
        return {NESTED} if child.type == "do_group" else {TESTED}
    return {_PLACES[kind]} if kind in _PLACES else set()


def is_condition(parent: Node, child: Node) -> bool:
    """Whether ``child`` is what the ``if`` or ``elif`` above it asks."""
    then = next((one for one in parent.children if one.type == "then"), None)
    return then is not None and child.start_byte < then.start_byte


def is_in_a_loop(node: Node) -> bool:
    """Whether it runs several times."""
    return any(parent.type in _LOOPS for parent, _ in above(node))


def statement_of(node: Node) -> Node:
    """The statement that it is part of: a child of the script, of a body or of a function."""
    for parent, child in above(node):
        if parent.type in _CONDITIONAL and not is_condition(parent, child):
            return child
        if parent.type in _BODIES or parent.type in {"program", "subshell"}:
            return child
    return node


def outermost(node: Node) -> Node:
    """The statement of the script itself that it is part of."""
    top = node
    for parent, child in above(node):
        top = child if parent.type == "program" else top
    return top


def following(node: Node) -> tuple[Node, ...]:
    """The statements after this one in the same body, comments and functions left out."""
    siblings = node.parent.named_children if node.parent is not None else []
    others = {"comment", "function_definition", "else_clause", "elif_clause"}
    return tuple(one for one in siblings if one.start_byte >= node.end_byte and one.type not in others)


def setting(script: Script, letter: str, long: str, place: int) -> bool | None:
    """Whether ``set -<letter>`` or ``set -o <long>`` holds at byte ``place``; None when nothing was said of it."""
    first = script.source.line_text(1)
    state = True if letter and re.match(rf"#!\s*\S*sh\s+-\w*{letter}", first) else None
    for start, words in _settings(script):
        if start < place:
            said = _said(words, letter, long)
            state = state if said is None else said
    return state


@lru_cache(maxsize=8)
def _settings(script: Script) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Where the script's own ``set`` commands stand, and their words; the first of too many."""
    own = (one for one in script.named("set") if not use_of(one.node) & {FUNCTION, SUBSHELL, CAPTURED})
    return tuple((one.node.start_byte, one.words) for one in islice(own, 100))


def _said(words: tuple[str, ...], letter: str, long: str) -> bool | None:
    said = None
    for place, word in enumerate(words):
        if word in {"-", "--"} or word[:1] not in {"-", "+"}:
            continue
        if letter and letter in word[1:]:
            said = word[0] == "-"
        if "o" in word[1:] and words[place + 1 : place + 2] == (long,):
            said = word[0] == "-"
    return said


def errexit(script: Script, node: Node) -> bool:
    """Whether a failing command ends the script there."""
    return bool(setting(script, "e", "errexit", node.start_byte))


def pipefail(script: Script, node: Node) -> bool:
    """Whether a pipeline fails there when one of its commands does."""
    return bool(setting(script, "", "pipefail", node.start_byte))


_WHOLE = re.compile(r"\"?\$(?:(\w+)|\{(\w+)(?:\[[@*]\])?\})\"?")
_PART = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
MOST_WORDS = 2_000
DEEPEST = 5


@lru_cache(maxsize=MOST_COMMANDS)
def expanded(command: Command) -> tuple[str, ...]:
    """The words with the script's own variables put in where they have one value; the others stay as written.

    A variable that is a word of its own is split at blanks, as bash does without quotes; of several assignments all
    values are taken: who asks whether an option is there wants to know whether it can be.
    """
    return tuple(_expand(command.script, (command.name, *command.words), DEEPEST))[:MOST_WORDS]


def _expand(script: Script, words: tuple[str, ...], depth: int) -> Iterator[str]:
    budget = MOST_WORDS
    for word in words:
        whole = _WHOLE.fullmatch(word)
        values = script.variables.get(whole[1] or whole[2], ()) if whole and depth else ()
        if not values:
            yield substituted(script, unquoted(word))
        for value in values[:20]:
            for inner in _expand(script, split_value(script, value), depth - 1):
                budget -= 1
                if budget < 0:
                    return
                yield inner


def split_value(script: Script, value: Node) -> tuple[str, ...]:
    """The words of what is assigned: of an array its elements, of a text its parts between blanks."""
    if value.type == "array":
        return tuple(script.text_of(child) for child in value.named_children if child.type != "comment")
    return tuple(unquoted(script.text_of(value)).split()) if value.type != "command_substitution" else ("$()",)


def substituted(script: Script, text: str) -> str:
    """``text`` with each variable that has just one, literal value put in."""
    for _ in range(DEEPEST):
        new = _PART.sub(lambda match: _one_value(script, match), text)
        if new == text or len(new) > 4_000:
            break
        text = new
    return text


def _one_value(script: Script, match: re.Match[str]) -> str:
    values = script.variables.get(match[1] or match[2], ())
    if len(values) != 1 or values[0].type in {"array", "command_substitution"}:
        return match[0]
    text = unquoted(script.text_of(values[0]))
    return match[0] if match[0] in text or len(text) > 1_000 else text
