"""Mutations of texts: of bytes, of tokens and of structure. All draw from the ``Random`` that they are given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from typing import Any

_TOKEN = re.compile(r"[\w.+-]+|\"[^\"\n]*\"|'[^'\n]*'|\s+|.", re.DOTALL)

VALUES = (
    "0", "-1", "1", "2", "3", "7", "64", "1_000", "0x10", "9223372036854775807", "9223372036854775808", "9" * 4_400,
    "1e400",
    "-0.0", "0.5", "1e-9", "5e8", "nan", "inf", "-inf", "true", "false", "null", "None", '""', '"auto"', '"cpu"',
    '"nvme"',
    '"none"', '"bf16"', '"80GiB"', '"24:00:00"', '"1e5"', '"\\u0000"', '"\\u001b[31m"', '"\\U0001F600"', '"é"',
    '"../.."',
    '"$(id)"', '"`id`"', "\"'\"", '"${training.max_steps}"', '"${1 / 0}"', '"${experiment.name}"', '"${"', '"$${x}"',
    '"${2 ** 62 * 4}"', '"${min()}"', '"${model}"', '"${data.sources[0].name}"', '"${data.sources[9]}"',
    '"${a.b} ${c}"',
    "[]", "{}", "[[]]", "[1, 2]", '["a"]', "[{}]", '{ env = "HOME" }', '{ stdlib = true, path = "." }', "2024-01-01",
    "12:30:00", "[" * 40 + "]" * 40, "'''", '"""', "[", "{", "}", "]", "=", ",", "#", "//", ":", "[[x]]", "[x]", ".",
    "\0",
    "\ufeff", "\u202e", "\u00a0", "\u200b", "а", "=\n", "\r\n", "\r",
)  # fmt: skip
KEYS = (
    "training", "stage", "max_steps", "train_batch_size", "zero_optimization", "optimizer", "params", "lr",
    "enabled", "type",
    "extends", "unset", "append", "overlays", "experiment", "name", "data", "sources", "path", "env", "deepspeed",
    "raw",
    "reason", "checks", "allow", "CFG434", "target", "launch", "gpus_per_node", "device", "fp16", "bf16", "search",
    "out",
    "batch_size", "tr\u0430ining", "", "a b", "x" * 300, "\x1b[31m", "0", "-", "**",
)  # fmt: skip
PLAIN: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 64, 2**63, 10**30, 0.5, -0.0, 1e308, float("inf"), float("nan"), "", "auto",
    "cpu", "8",
    "${training.max_steps}", "${", "\x00", "\u202e", "a" * 3_000, [], {}, [1], [[]], [{}], {"a": 1}, {"enabled": True},
    {"type": "Adam"}, [None], {"": None}, date(2024, 1, 1),
)  # fmt: skip


def mutated(random: Random, text: str, structures: Callable[[Random, str], str | None]) -> bytes:
    """``text`` after one to three mutations of one kind."""
    kind = random.randrange(5)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if kind == 0:
            return _bytes(random, text.encode(errors="surrogatepass"))
        text = _tokens(random, text) if kind <= 2 else structures(random, text) or _tokens(random, text)
    return text.encode(errors="replace")


def _bytes(random: Random, data: bytes) -> bytes:
    """Flip, insert, drop, double or cut anywhere."""
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.randrange(1, 30))
        middle = random.choice((
            b"", bytes([random.randrange(256)]), data[at:end] * 2, data[at:end][::-1], random.randbytes(3),
            b"\xef\xbb\xbf",
        ))  # fmt: skip
        data = data[:at] + middle + data[end:]
    return data[: random.randrange(len(data) + 1)] if random.randrange(8) == 0 else data


def _tokens(random: Random, text: str) -> str:
    """Replace, drop, double, swap or insert a token."""
    tokens = _TOKEN.findall(text) or [""]
    at, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    choice = random.randrange(6)
    if choice == 0:
        tokens[at] = random.choice(VALUES)
    elif choice == 1:
        tokens[at] = random.choice(KEYS)
    elif choice == 2:
        del tokens[at]
    elif choice == 3:
        tokens[at:at] = tokens[other : other + random.randrange(1, 12)]
    elif choice == 4:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    else:
        tokens[at] = misspelt(random, tokens[at])
    return "".join(tokens)


def misspelt(random: Random, word: str) -> str:
    """``word`` with one typing mistake."""
    at = random.randrange(len(word) + 1)
    letter = random.choice("abcxyz_-.0 E\"'éа")
    return random.choice(
        (word[:at] + letter + word[at:], word[:at] + word[at + 1 :], word[:at] + letter + word[at + 1 :])
    )


def change_tree(random: Random, tree: Any) -> Any:
    """``tree`` with one value replaced, dropped, wrapped, renamed or moved."""
    places = list(_places(tree, ()))
    if not places:
        return random.choice(PLAIN)
    holder, key = random.choice(places)
    choice = random.randrange(6)
    if choice <= 1:
        holder[key] = random.choice(PLAIN)
    elif choice == 2:
        del holder[key]
    elif choice == 3:
        holder[key] = random.choice(([holder[key]], {random.choice(KEYS): holder[key]}, str(holder[key])))
    elif choice == 4 and isinstance(holder, dict):
        holder[misspelt(random, str(key)) if random.randrange(2) else random.choice(KEYS)] = holder.pop(key)
    else:
        target, _ = random.choice(places)
        if isinstance(target, dict) and target is not holder[key]:
            target[str(random.choice((key, *KEYS)))] = json.loads(json.dumps(holder[key], default=str))
    return tree


def _places(tree: Any, path: Sequence[Any]) -> Any:
    inside = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in inside:
        yield tree, key
        yield from _places(value, (*path, key))


def change_json(random: Random, text: str) -> str | None:
    """The JSON ``text`` with its tree changed; None when it is none."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(change_tree(random, tree), indent=random.choice((None, 2)), default=str)
