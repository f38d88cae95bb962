"""Literals that look like credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cfgc.diagnostics import Label
from cfgc.source import SourceFile, Span
from cfgc.validate.missing import dotted
from cfgc.validate.places import value_label
from cfgc.validate.schema_errors import literal_secret

if TYPE_CHECKING:
    from cfgc.diagnostics import Diagnostic
    from cfgc.origin import Path, Value
    from cfgc.resolve.resolved import Resolved
    from cfgc.validate.places import Location

KINDS = (
    (re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"), "an API key (sk-…)", "API_KEY"),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}"), "a Hugging Face token (hf_…)", "HF_TOKEN"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key (AKIA…)", "AWS_ACCESS_KEY_ID"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"), "a GitHub token (ghp_…)", "GITHUB_TOKEN"),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{30,}"), "a GitHub token (github_pat_…)", "GITHUB_TOKEN"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a GitLab token (glpat-…)", "GITLAB_TOKEN"),
    (re.compile(r"\bxox[abps]-[A-Za-z0-9-]{20,}"), "a Slack token (xox…)", "SLACK_TOKEN"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key", "PRIVATE_KEY_FILE"),
)
"""Spellings that no harmless value has: pattern, what it is, the variable to name instead."""

_SECRET_NAME = re.compile(r"(?:^|_)(?:key|token|secret|password|passwd|credentials?)$", re.IGNORECASE)
_SHAPELESS = re.compile(r"[0-9a-fA-F]{32,}|(?=.*\d)[A-Za-z0-9+/_=-]{20,}")


def find_secrets(resolved: Resolved) -> Iterator[Diagnostic]:
    """A finding for each literal that looks like a secret; the value itself is never repeated."""
    for path, leaf in resolved.leaves.items():
        if leaf.origin.span is None:
            continue
        for inside, text in _texts(leaf.value):
            kind = secret_kind(path, inside, text)
            if kind:
                place: Location = (*path, *inside)
                yield literal_secret(dotted(place), _masked(value_label(resolved, place, "")), kind[0], kind[1])


def secret_kind(path: Path, inside: Location, text: str) -> tuple[str, str] | None:
    """What ``text`` looks like, and the variable to name instead; None when it looks harmless."""
    for pattern, kind, variable in KINDS:
        if pattern.search(text):
            return kind, variable
    name = next((part for part in (*reversed(inside), *reversed(path)) if isinstance(part, str)), "")
    if _SECRET_NAME.search(name) and _SHAPELESS.fullmatch(text):
        return "a credential, by its name and shape", name.upper()
    return None


def _masked(label: Label | None) -> Label | None:
    """The same place in a copy of its source that does not show the value."""
    if label is None:
        return None
    source, start, end = label.span.source, label.span.start, label.span.end
    hidden = "".join("•" if char not in "\r\n\"'" else char for char in source.text[start:end])
    copy = SourceFile(source.logical, source.text[:start] + hidden + source.text[end:])
    return Label(Span(copy, start, end), label.text)


def _texts(value: Value) -> Iterator[tuple[Location, str]]:
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from (((index, *inside), text) for inside, text in _texts(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (((key, *inside), text) for inside, text in _texts(item))
