"""How a good file is spoilt: each operator changes one key, drawn at random among those that it can change."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from tools.mutations.relations import contradictions
from tools.mutations.subjects import Subject, Where, value_at


@dataclass(frozen=True)
class Mutation:
    """One spoilt file: ``key`` is what was changed, ``at`` where the mistake stands now, ``said`` what was done."""

    subject: Subject
    operator: str
    key: Where
    at: Where
    tree: Mapping[str, Any]
    said: str
    others: tuple[Where, ...] = ()


Operator: TypeAlias = Callable[[Random, Subject], Mutation | None]


def misspelt(random: Random, subject: Subject) -> Mutation | None:
    """One letter of a key's name dropped, doubled, exchanged with the next, or replaced."""
    key = random.choice(subject.leaves)
    name = key[-1]
    if not isinstance(name, str) or len(name) < 3 or _is_free(subject, key):
        return None
    wrong = _typo(random, name)
    siblings = value_at(subject.tree, key[:-1])
    if wrong == name or wrong in siblings:
        return None
    tree = deepcopy(dict(subject.tree))
    table = value_at(tree, key[:-1])
    changed = {wrong if other == name else other: value for other, value in table.items()}
    table.clear()
    table.update(changed)
    return Mutation(subject, "misspelt", key, (*key[:-1], wrong), tree, f"`{dotted(key)}` written `{wrong}`")


def moved(random: Random, subject: Subject) -> Mutation | None:
    """A key in another table."""
    key, to = random.choice(subject.leaves), random.choice(subject.tables)
    if not isinstance(key[-1], str) or to == key[:-1] or _is_free(subject, key) or _is_free(subject, (*to, "x")):
        return None
    if key[-1] in value_at(subject.tree, to) or to[: len(key)] == key:
        return None
    tree = deepcopy(dict(subject.tree))
    value = value_at(tree, key[:-1]).pop(key[-1])
    value_at(tree, to)[key[-1]] = value
    where = f"under `{dotted(to)}`" if to else "at the top"
    return Mutation(subject, "moved", key, (*to, key[-1]), tree, f"`{dotted(key)}` {where}")


def wrong_type(random: Random, subject: Subject) -> Mutation | None:
    """A word for a number, a number for a switch or text, a table or an array for either."""
    key = random.choice(subject.leaves)
    value = value_at(subject.tree, key)
    if _is_free(subject, key) or value is None:
        return None
    return _changed(subject, "wrong type", key, random.choice(_other_types(random, value)))


def out_of_range(random: Random, subject: Subject) -> Mutation | None:
    """A number below everything sensible or absurdly large; a choice that there is none of."""
    key = random.choice(subject.leaves)
    value = value_at(subject.tree, key)
    if _is_free(subject, key) or isinstance(value, bool):
        return None
    if isinstance(value, int):
        wrong: Any = random.choice((-abs(value) - 1, 10**25))
    elif isinstance(value, float):
        wrong = random.choice((-abs(value) - 1.0, 1e30))
    elif isinstance(value, str) and _has_choices(subject, key) and len(value) > 1:
        wrong = value + random.choice(string.ascii_lowercase) + "x"
    else:
        return None
    return _changed(subject, "out of range", key, wrong)


def contradicting(random: Random, subject: Subject) -> Mutation | None:
    """A value that is fine alone and cannot hold beside another value of the file."""
    found = contradictions(subject, random)
    if not found:
        return None
    key, value, other = random.choice(found)
    mutation = _changed(subject, "contradicting", key, value)
    return Mutation(
        subject, mutation.operator, key, key, mutation.tree, f"{mutation.said}, beside `{dotted(other)}`", (other,)
    )


OPERATORS: tuple[Operator, ...] = (misspelt, moved, wrong_type, out_of_range, contradicting)


def draw(random: Random, subjects: list[Subject]) -> Mutation:
    """One mutation: a file, an operator and a key, each drawn evenly among those that go together."""
    while True:
        mutation = random.choice(OPERATORS)(random, random.choice(subjects))
        if mutation is not None:
            return mutation


def dotted(where: Where) -> str:
    """``data.sources[0].name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.removeprefix(".")


def _changed(subject: Subject, operator: str, key: Where, value: Any) -> Mutation:
    tree = deepcopy(dict(subject.tree))
    value_at(tree, key[:-1])[key[-1]] = value
    before = json.dumps(value_at(subject.tree, key), default=str)
    return Mutation(subject, operator, key, key, tree, f"`{dotted(key)}` {before} → {json.dumps(value)}")


def _typo(random: Random, name: str) -> str:
    at = random.randrange(len(name) - 1)
    letter = random.choice(string.ascii_lowercase)
    return random.choice(
        (
            name[:at] + name[at + 1 :],
            name[: at + 1] + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            name[:at] + letter + name[at + 1 :],
        )
    )


def _other_types(random: Random, value: Any) -> list[Any]:
    word = random.choice(("many", "some", "large"))
    if isinstance(value, bool):
        return [word, {"value": value}, [value], 7]
    if isinstance(value, int | float):
        return [word, {"value": value}, [value], random.choice((True, False))]
    if isinstance(value, str):
        # "auto" and "${…}" stand for what a number or a switch could stand for too.
        plain = [] if value == "auto" or "${" in value else [random.choice((7, 2.5)), True]
        return [*plain, {"value": value}, [[value]]]
    if isinstance(value, list):
        return [word, 7, {"value": 1}]
    return [word, 7]


def _has_choices(subject: Subject, key: Where) -> bool:
    """Whether the key takes only some texts, by the documentation of the schema or of DeepSpeed's configuration."""
    from tools.mutations.domains import has_choices

    return has_choices(subject.kind, key)


def _is_free(subject: Subject, key: Where) -> bool:
    """Whether names and values at ``key`` are the user's own, so that no change of them is a mistake."""
    from tools.mutations.domains import is_free

    return is_free(subject.kind, key)
