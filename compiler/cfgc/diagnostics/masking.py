"""Literals that look like credentials: recognised for the check, and hidden from everything that is printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cfgc.diagnostics.model import Diagnostic, Edit, Label
from cfgc.source import SourceFile, Span

KINDS = (
    (re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"), "an API key (sk-…)", "API_KEY"),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}"), "a Hugging Face token (hf_…)", "HF_TOKEN"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an AWS access key (AKIA…)", "AWS_ACCESS_KEY_ID"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"), "a GitHub token (ghp_…)", "GITHUB_TOKEN"),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{30,}"), "a GitHub token (github_pat_…)", "GITHUB_TOKEN"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a GitLab token (glpat-…)", "GITLAB_TOKEN"),
    (re.compile(r"\bxox[abps]-[A-Za-z0-9-]{20,}"), "a Slack token (xox…)", "SLACK_TOKEN"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]*-----END [A-Z ]*PRIVATE KEY-----)?"),
        "a private key",
        "PRIVATE_KEY_FILE",
    ),
    (re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/\"']+(?=@)"), "a password in a URL", "DATABASE_URL"),
)
"""Spellings that no harmless value has: pattern, what it is, the variable to name instead."""

_STRONG = re.compile(r"passwo?r?d|secret|credential|api_?key|(?:^|[_.-])token(?:$|[_.-])", re.IGNORECASE)
_WEAK = re.compile(r"(?:^|[_-])key$", re.IGNORECASE)
_ELSEWHERE = re.compile(r"[_-](?:file|path|dir|sha256|name)$", re.IGNORECASE)
_OF_A_VOCABULARY = re.compile(r"(?:^|[_.-])(?:end|pad|bos|eos|unk)_token$", re.IGNORECASE)
"""What a tokenizer calls a token, which is no secret."""

_SHAPELESS = re.compile(r"[0-9a-fA-F]{32,}|(?=.*\d)[A-Za-z0-9+/_=-]{20,}")
_SWITCH = re.compile(r"|0|1|true|false|none", re.IGNORECASE)
_COUNT = re.compile(r"[+-]?[\d_.]+|true|false")

_QUOTED = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|"((?:\\.|[^"\\\n])*)"?|\'([^\'\n]*)\'?', re.DOTALL)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<name>[A-Za-z0-9_-]++)[\"']?[ \t]*+[=:][ \t]*"  # possessive: long words cost their length
    r"(?P<value>\[[^\]\n]*\]?|\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"?|'[^'\n]*'?"
    r"|(?:\$\((?:[^()\n]|\([^()\n]*\))*+\)|\$\{[^{}\n]*\}|[^\s,{}\[\]#`])++)",
    re.DOTALL,
)
_READ = re.compile(r"""\$\((?:cat +|< *)(?:[\w./~$-]+|"[\w./~${} -]+"|'[\w./~ -]+')\)|\$\{[A-Za-z_][\w.:]*\}""")
"""What a shell or an interpolation puts in: it names the place of a secret."""

SHORTEST = 4
"""Characters of a secret that is looked for in messages: a shorter one would hide parts of other words."""


def secret_kind(name: str, text: str) -> tuple[str, str] | None:
    """What ``text`` under the key ``name`` looks like, and the variable to name instead; None when it is harmless."""
    for pattern, kind, variable in KINDS:
        if pattern.search(text):
            return kind, variable
    if _SWITCH.fullmatch(text) or _ELSEWHERE.search(name) or _OF_A_VOCABULARY.search(name):
        return None
    if _STRONG.search(name):
        return "a credential, by its name", name.upper()
    if _WEAK.search(name) and _SHAPELESS.fullmatch(text):
        return "a credential, by its name and shape", name.upper()
    return None


def hidden(value: object, name: str) -> object:
    """``value`` of the key ``name`` with dots for every secret in it."""
    if isinstance(value, str):
        spelled = any(pattern.search(value) for pattern, _, _ in KINDS)
        return masked_text(value) if spelled else _dots(value) if secret_kind(name, value) else value
    if isinstance(value, list):
        return [hidden(item, name) for item in value]
    if isinstance(value, dict):
        return {key: hidden(item, key) for key, item in value.items()}
    return value


def masked_text(text: str) -> str:
    """``text``, of the same length, with dots for every secret in it."""
    return _with_dots(text, _extents(text))


def masked(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """``diagnostics`` with dots for every secret of the sources that they show, wherever they repeat it."""
    listed = tuple(diagnostics)
    sources = {id(label.span.source): label.span.source for d in listed for label in _labels(d)}
    found = {source.text[start:end] for source in sources.values() for start, end in _extents(source.text)}
    words = sorted((word for word in found if len(word) >= SHORTEST), key=lambda word: (-len(word), word))
    copies = {key: SourceFile(source.logical, masked_text(source.text)) for key, source in sources.items()}
    mask = _Mask(copies, words)
    return tuple(mask.diagnostic(d) for d in listed)


@dataclass(frozen=True)
class _Mask:
    """The masked copy of each source by identity, and the secrets that they held, longest first."""

    copies: dict[int, SourceFile]
    words: Sequence[str]

    def diagnostic(self, found: Diagnostic) -> Diagnostic:
        return replace(
            found,
            message=self.text(found.message),
            primary=self.label(found.primary) if found.primary else None,
            secondary=tuple(self.label(label) for label in found.secondary),
            notes=tuple(map(self.text, found.notes)),
            helps=tuple(map(self.text, found.helps)),
            fixes=tuple(replace(fix, edits=tuple(map(self.edit, fix.edits))) for fix in found.fixes),
        )

    def edit(self, edit: Edit) -> Edit:
        names = (part for part in reversed(edit.path) if isinstance(part, str))
        return replace(edit, value=self.value(hidden(edit.value, next(names, ""))))

    def value(self, value: object) -> object:
        """``value`` with every text in it masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return {key: self.value(item) for key, item in value.items()} if isinstance(value, dict) else value

    def label(self, label: Label) -> Label:
        span = label.span
        return Label(Span(self.copies[id(span.source)], span.start, span.end), self.text(label.text))

    def text(self, text: str) -> str:
        for word in self.words:
            text = text.replace(word, _dots(word))
        return masked_text(text)


def _labels(found: Diagnostic) -> Iterator[Label]:
    yield from (label for label in (found.primary, *found.secondary) if label)


def _extents(text: str) -> list[tuple[int, int]]:
    """Where ``text`` holds secrets: by their spelling, and by the key that they are assigned to."""
    found = [match.span() for pattern, _, _ in KINDS for match in pattern.finditer(text)]
    for match in _ASSIGNED.finditer(text):
        found += _assigned(match["name"], match["value"], match.start("value"))
    return found


def _assigned(name: str, value: str, at: int) -> Iterator[tuple[int, int]]:
    if value[0] in "\"'[":
        for quoted in _QUOTED.finditer(value):
            group = next(number for number in range(1, 5) if quoted[number] is not None)
            if secret_kind(name, quoted[group]):
                yield at + quoted.start(group), at + quoted.end(group)
    elif secret_kind(name, value) and not _READ.fullmatch(value) and not (_COUNT.fullmatch(value) and name.islower()):
        yield at, at + len(value)


def _with_dots(text: str, extents: Iterable[tuple[int, int]]) -> str:
    characters = list(text)
    for start, end in extents:
        characters[start:end] = _dots(text[start:end])
    return "".join(characters)


def _dots(text: str) -> str:
    return "".join(char if char in "\r\n" else "•" for char in text)
