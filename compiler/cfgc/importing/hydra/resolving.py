"""``${…}`` of OmegaConf: references, absolute and relative, and the arithmetic that people register as resolvers.

Nothing of the environment, the clock or the running program is read: such a value has no place in a spec.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cfgc.deepspeed.config import Entry, Json, Path
from cfgc.importing.branches import Branch, found_at, plain
from cfgc.importing.yaml_reading import plain_value

LONGEST = 10_000
"""Characters that one resolved text may have: interpolation can double a text again and again."""

MAX_STEPS = 20_000
"""References that are followed for one tree."""

MAX_DEPTH, MAX_HOLES = 20, 100
"""References that lead to references, and references in one text."""

MISSING = "???"
_ALONE = re.compile(r"\$\{\s*(\.*[A-Za-z_][\w.\[\]-]*)\s*\}")
_NUMBER_NAMES: Mapping[str, Callable[..., float]] = {
    **dict.fromkeys(("multiply", "mul", "times", "product"), lambda *values: math.prod(values)),
    **dict.fromkeys(("add", "sum", "plus"), lambda *values: sum(values)),
    **dict.fromkeys(("subtract", "sub", "minus"), lambda a, b: a - b),
    **dict.fromkeys(("divide", "div", "truediv"), lambda a, b: a / b),
    **dict.fromkeys(("int_div", "floor_div", "floordiv", "idiv", "int_divide"), lambda a, b: a // b),
    **dict.fromkeys(("mod", "modulo"), lambda a, b: a % b),
    **dict.fromkeys(("max", "maximum"), max),
    **dict.fromkeys(("min", "minimum"), min),
}
"""Resolvers whose names say what they do; OmegaConf itself has none of them."""


class UnresolvableError(Exception):
    """A value that only the running program has, or a reference that leads nowhere; the text says why."""


@dataclass
class Resolver:
    """Resolves the values of one tree."""

    root: Branch
    steps: int = 0
    depth: int = 0
    open: list[Path] = field(default_factory=list)

    def value(self, path: Path, entry: Entry) -> Json:
        """What the entry at ``path`` means. Raises ``UnresolvableError``."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise UnresolvableError("the tree has too many references")
        if path in self.open:
            raise UnresolvableError(f"it refers to itself: {' → '.join('.'.join(p) for p in (*self.open[-3:], path))}")
        self.open.append(path)
        try:
            return self._resolved(entry.value, path)
        finally:
            self.open.pop()

    def _resolved(self, value: Json, path: Path) -> Json:
        if isinstance(value, list):
            return [self._resolved(item, (*path, str(index))) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: self._resolved(item, (*path, key)) for key, item in value.items()}
        if not isinstance(value, str) or "${" not in value:
            return value
        return self.text(value, path)

    def text(self, text: str, path: Path) -> Json:
        """A text with ``${…}``; one that is nothing else keeps the type of its value."""
        if self.depth >= MAX_DEPTH or text.count("${") > MAX_HOLES:
            raise UnresolvableError("its interpolation is nested too deeply, or too long")
        self.depth += 1
        try:
            return self._joined(text, path)
        finally:
            self.depth -= 1

    def _joined(self, text: str, path: Path) -> Json:
        pieces: list[Json] = []
        position = 0
        while position < len(text):
            start = text.find("${", position)
            if start < 0:
                pieces.append(text[position:])
                break
            if start > position and text[start - 1] == "\\":
                pieces.append(text[position : start - 1] + "${")
                position = start + 2
                continue
            end = _closing(text, start)
            pieces += [text[position:start]] if start > position else []
            pieces.append(self._inside(text[start + 2 : end], path))
            position = end + 1
        if len(pieces) == 1:
            return pieces[0]
        whole = "".join(_shown(piece) for piece in pieces)
        if len(whole) > LONGEST:
            raise UnresolvableError(f"it is longer than {LONGEST:,} characters")
        return whole

    def _inside(self, body: str, path: Path) -> Json:
        name, colon, arguments = _outside(body, ":")
        if colon:
            return self._call(name.strip(), arguments, path)
        whole = self.text(body.strip(), path)
        return self._reference(str(whole), path)

    def _reference(self, written: str, path: Path) -> Json:
        target = target_of(written, path)
        node = self._at(target)
        if node is None:
            raise UnresolvableError(f"it refers to `{written}`, which is not there")
        if isinstance(node, Entry):
            if node.value == MISSING:
                raise UnresolvableError(f"it refers to `{written}`, which has no value yet (???)")
            return self.value(target, node)
        return self._resolved(plain(node), target)

    def _at(self, target: Path) -> Branch | Entry | None:
        """The node, also an element of a list."""
        node = found_at(self.root, target)
        if node is None and target and target[-1].lstrip("-").isdigit():
            above = self._at(target[:-1])
            if isinstance(above, Entry) and isinstance(above.value, list) and abs(int(target[-1])) < len(above.value):
                return Entry(above.value[int(target[-1])], above.span)
        return node

    def _call(self, name: str, arguments: str, path: Path) -> Json:
        known = _NUMBER_NAMES.get(name)
        parts = _split(arguments)
        if known is not None:
            values = [self._argument(part, path) for part in parts]
            if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
                raise UnresolvableError(f"`{name}` takes numbers")
            return _bounded(known, values)
        if name == "oc.select" and parts:
            target = self._at(target_of(parts[0].strip(), path))
            if target is not None and plain(target) != MISSING:
                return self._reference(parts[0].strip(), path)
            return self._argument(parts[1], path) if len(parts) > 1 else None
        if name == "oc.env" and len(parts) > 1:
            return self._argument(parts[1], path)
        if name == "oc.env" and parts:
            raise UnresolvableError(
                f"it is read from the environment variable {parts[0].strip()!r} when the run starts"
            )
        raise UnresolvableError(f"the resolver `{name}` is known only to the program")

    def _argument(self, text: str, path: Path) -> Json:
        text = text.strip()
        if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            return self.text(text[1:-1], path) if "${" in text else text[1:-1]
        return self.text(text, path) if "${" in text else plain_value(text)


def target_of(written: str, path: Path) -> Path:
    """The absolute path of a reference from the value at ``path``: each leading dot is one table up."""
    text = re.sub(r"\[([^\]]*)\]", r".\1", written)
    dots = len(text) - len(text.lstrip("."))
    if not dots or (written.startswith("[") and dots == 1):
        return tuple(key for key in text.split(".") if key)
    return (*path[: max(len(path) - dots, 0)], *(key for key in text.lstrip(".").split(".") if key))


def reference_in(value: Json, path: Path) -> Path | None:
    """The path that a value refers to when it is one reference and nothing else."""
    found = _ALONE.fullmatch(value) if isinstance(value, str) else None
    return target_of(found.group(1), path) if found else None


def _bounded(function: Callable[..., float], values: list[Json]) -> Json:
    try:
        result = function(*values)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise UnresolvableError(f"its arithmetic fails: {error}") from None
    if isinstance(result, int) and abs(result) > 2**63:
        raise UnresolvableError("its arithmetic gives more than 64 bits")
    return result


def _closing(text: str, start: int) -> int:
    """Where the ``}`` of the ``${`` at ``start`` stands."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0 and position > start + 1:
            return position
    raise UnresolvableError("a `${` is not closed")


def _outside(text: str, mark: str) -> tuple[str, str, str]:
    """``text`` split at the first ``mark`` that is in no braces."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == mark and depth == 0:
            return text[:position], mark, text[position + 1 :]
    return text, "", ""


def _split(text: str) -> list[str]:
    """Arguments between commas that are in no braces, brackets or quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        else:
            depth += {"{": 1, "}": -1, "[": 1, "]": -1, "(": 1, ")": -1}.get(character, 0)
    return [*parts, text[start:]] if text.strip() else []


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else str(value)
