"""What a name of the user's own code was probably meant to be."""

from __future__ import annotations

import re


def target_helps(text: str) -> tuple[str, ...]:
    """The same thing as ``module:function``, where ``text`` can be read as it: a path of a file, dots alone."""
    general = 'write it as Python finds it: `target = "my_pkg.model:build"`'
    bare = text.strip().lstrip(".")
    if match := re.fullmatch(r"(?:/|src/)*([\w/]+)\.py(?:::?|:)(\w+)", bare):
        return (f'write `target = "{match[1].replace("/", ".")}:{match[2]}"`',)
    if re.fullmatch(r"\w+(\.\w+)+", bare):
        module, _, name = bare.rpartition(".")
        return (f'write `target = "{module}:{name}"`',)
    return (general,)
