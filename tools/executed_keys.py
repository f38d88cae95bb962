"""``python -m tools.executed_keys``: every key of a spec, whether a run executes it, and the tests that see it.

A test says which keys it sees: ``@pytest.mark.covers("training.precision", "deepspeed.zero.*")``. The marks are read
from the source, so nothing is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cfgc.schema.catalogue import SchemaField, catalogue
from cfgc.schema.field import meta_of
from cfgc.schema.lookup import section_at
from cfgc.validate.supported import CODES
from cfgc.validate.values import toml_text

if TYPE_CHECKING:
    from cfgc.schema.field import Later

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "executed-keys.md"
_WHOLE = ".*"

_INTRODUCTION = """\
# Every key, executed or refused

Each key of a spec has an effect on a run that a test sees, or is refused by name: nothing is ignored. Written by
`python -m tools.executed_keys` from the schema and from the marks of the tests; CI refuses a key without a test.

"Refused" names the code that any value but those listed as working gets.
"""


@dataclass(frozen=True)
class Covering:
    """A test and the keys that it says it covers; one that ends with ``.*`` stands for all below."""

    test: str
    keys: tuple[str, ...]

    def covers(self, dotted: str) -> bool:
        """Whether the test sees ``dotted``."""
        return any(
            dotted.startswith(key.removesuffix("*")) if key.endswith(_WHOLE) else dotted == key for key in self.keys
        )


def all_keys() -> Iterator[SchemaField]:
    """Every field of the schema, those of the elements of arrays of tables after their array."""
    for field in catalogue():
        yield field
        if element := section_at(field.path):
            for name, info in element.model_fields.items():
                own = meta_of(info)
                later = own.later or (field.meta.later if _is_refused(field.meta.later) else None)
                yield SchemaField((*field.path, name), info, replace(own, later=later))


def coverings(tests: Path) -> tuple[Covering, ...]:
    """The marks in all test files below ``tests``."""
    files = sorted(tests.rglob("test_*.py"))
    return tuple(found for file in files for found in _in_file(file, file.relative_to(tests.parent).as_posix()))


def uncovered(found: Sequence[Covering]) -> list[str]:
    """Keys that are executed and that no test covers."""
    return [key.dotted for key in all_keys() if not _is_refused(key.meta.later) and not _tests_of(key.dotted, found)]


def unknown(found: Sequence[Covering]) -> list[str]:
    """Marks that name no key."""
    known = [key.dotted for key in all_keys()]
    marks = ((one.test, key) for one in found for key in one.keys)
    return sorted(f"{test}: {key}" for test, key in marks if not any(Covering("", (key,)).covers(one) for one in known))


def render(found: Sequence[Covering]) -> str:
    """The page."""
    rows: dict[str, list[str]] = {}
    for key in all_keys():
        rows.setdefault(key.path[0], []).append(_row(key, found))
    head = ("| key | a run | seen by |", "| --- | --- | --- |")
    tables = ("\n".join([f"## `{section}`\n", *head, *lines, ""]) for section, lines in rows.items())
    return "\n".join([_INTRODUCTION, *tables])


def _row(key: SchemaField, found: Sequence[Covering]) -> str:
    tests = "" if _is_refused(key.meta.later) else " · ".join(f"`{one}`" for one in _tests_of(key.dotted, found))
    return f"| `{key.dotted}` | {_verdict(key.meta.later)} | {tests or '–'} |"


def _verdict(later: Later | None) -> str:
    if later is None:
        return "executes it"
    code = CODES[later.feature][0]
    works = ", ".join(f"`{toml_text(value)}`" for value in later.works if value is not None and value != ())
    return f"refused ({code}), but {works}" if works else f"refused ({code})"


def _is_refused(later: Later | None) -> bool:
    return later is not None and not any(value not in (None, ()) for value in later.works)


def _tests_of(dotted: str, found: Sequence[Covering], most: int = 3) -> list[str]:
    return [one.test for one in found if one.covers(dotted)][:most]


def _in_file(file: Path, name: str) -> Iterator[Covering]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            yield Covering(name, tuple(key for mark in ast.walk(statement) for key in _keys(mark)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            keys = tuple(key for mark in node.decorator_list for key in _keys(mark))
            if keys:
                yield Covering(f"{name}::{node.name}", keys)


def _keys(mark: ast.AST) -> Iterator[str]:
    if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == "covers":
        for argument in mark.args:
            value = ast.literal_eval(argument)
            assert isinstance(value, str), f"a mark is a key: {value!r}"
            yield value


def main() -> None:
    """Write the page."""
    found = coverings(REPOSITORY / "tests")
    PAGE.write_text(render(found), encoding="utf-8")
    missing = uncovered(found)
    print(f"{PAGE.name}: {sum(1 for _ in all_keys())} keys, {len(missing)} without a test")
    for key in missing:
        print(f"  {key}")


if __name__ == "__main__":
    main()
