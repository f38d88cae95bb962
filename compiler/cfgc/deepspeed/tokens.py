"""The words of HJSON, as the library that DeepSpeed reads its config with takes them."""

from __future__ import annotations

import re

from cfgc.deepspeed import reading_errors as errors
from cfgc.deepspeed.config import Json
from cfgc.diagnostics import Label, Rejected
from cfgc.source import SourceFile, Span

# Groups are not possessive here: Python before 3.11.5 matches such ones wrongly (https://github.com/python/cpython/issues/106052).
_BLANK = re.compile(r"(?:[ \t\r\n]++|(?:#|//)[^\r\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/)*")
_CHUNK = re.compile(r"[^\"'\\\x00-\x1f]*+")
_KEY = re.compile(r"([^ \t\r\n:{}\[\],]++)[ \t\r\n]*+(?=:)")
_WORD = re.compile(r"[^ \t\r\n:{}\[\],]+|.", re.DOTALL)
_ENDS = r"(?=[,}\]#\r\n]|//|/\*|\Z)"
_CONSTANT = re.compile(rf"(null|true|false)([^\S\r\n]*+){_ENDS}")
_NUMBER = re.compile(rf"(-?(?:0|[1-9][0-9]*+))((?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?)[\t ]*+{_ENDS}")
_LINE = re.compile(r"[^\r\n]*+")
_CONSTANTS: dict[str, Json] = {"null": None, "true": True, "false": False}
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")

TRIPLE = "'''"
_LONGEST = 400
"""Digits of a number that are read; a double has 309 before the point."""


class Tokens:
    """A text and a place in it. What can't be read raises ``Rejected``.

    ``swallowed`` is the last text without quotes that took a comma or bracket with the rest of its line.
    """

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.swallowed: Span | None = None

    def peek(self) -> str:
        """The next character after white space and comments; empty at the end."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith("/*", self.at):
            raise self.fail(self.at, self.at + 2, "the comment does not end", ("close it with `*/`",))
        return self.text[self.at : self.at + 1]

    def fail(
        self, start: int, end: int, what: str, helps: tuple[str, ...] = (), other: Label | None = None
    ) -> Rejected:
        """The exception of a mistake at ``start`` to ``end``."""
        return Rejected([errors.not_json(Span(self.source, start, end), what, helps, other)])

    def word(self) -> Span:
        """The word or character that is next, for messages."""
        found = _WORD.match(self.text, self.at)
        return Span(self.source, self.at, found.end() if found else self.at)

    def key(self) -> tuple[str, Span]:
        """A key, quoted or not."""
        start = self.at
        if self.peek() in {'"', "'"}:
            return self.quoted(), Span(self.source, start, self.at)
        found = _KEY.match(self.text, start)
        if found is None:
            raise self._no_key()
        self.at = found.end()
        return found[1], Span(self.source, start, found.end(1))

    def _no_key(self) -> Rejected:
        word = self.word()
        if word.text in {"{", "}", "[", "]", ":"}:
            return self.fail(word.start, word.end, f"a key is expected, not `{word.text}`")
        if word.text == ",":
            return self.fail(word.start, word.end, "a comma stands between two keys, once", ("remove this comma",))
        after = self.text[word.end :].lstrip()[:1]
        if after == "=":
            return self.fail(
                word.start, word.end, f"`:` is missing after `{word.text}`", (f'write `"{word.text}": …`',)
            )
        return self.fail(word.start, word.end, f"`{word.text}` is no key", (f'write `"{word.text}": …`',))

    def scalar(self) -> Json:
        """A value that is no table and no array. The place must be at its first character."""
        char = self.text[self.at : self.at + 1]
        if self.text.startswith(TRIPLE, self.at):
            return self._lines()
        if char in {'"', "'"}:
            return self.quoted()
        if char in {"", ",", ":", "}", "]"}:
            what = f"a value is expected, not `{char}`" if char else "the text ends where a value is expected"
            raise self.fail(self.at, self.at + len(char), what)
        return self._bare()

    def _bare(self) -> Json:
        constant = _CONSTANT.match(self.text, self.at)
        if constant:
            self.at = constant.end(1) + len(constant[2].rstrip(" \t"))
            return _CONSTANTS[constant[1]]
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end(2)
            return _number(number[1], number[2])
        line = _LINE.match(self.text, self.at)
        assert line is not None, "the pattern matches nothing too"
        start = self.at
        # Only what is skipped between words may be left: other white space would be read again, as a word.
        self.at += len(line[0].rstrip(" \t"))
        if any(char in line[0] for char in ",}]"):
            self.swallowed = Span(self.source, start, self.at)
        return line[0].strip()

    def quoted(self) -> str:
        """A text in single or double quotes, on one line."""
        start, quote = self.at, self.text[self.at]
        parts: list[str] = []
        self.at += 1
        while True:
            chunk = _CHUNK.match(self.text, self.at)
            parts.append(chunk[0] if chunk else "")
            self.at += len(parts[-1])
            char = self.text[self.at : self.at + 1]
            if char == "\\":
                parts.append(self._escape())
                continue
            if char in {"", "\r", "\n"}:
                raise self.fail(start, self.at, "the text has no closing quote on its line", (f"close it: {quote}",))
            if char < " ":
                raise self.fail(
                    self.at, self.at + 1, "a control character in quotes", (f"write it as `{_escaped(char)}`",)
                )
            self.at += 1
            if char == quote:
                return "".join(parts)
            parts.append(char)

    def _escape(self) -> str:
        start, letter = self.at, self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise self.fail(start, self.at, "this is no escape sequence", ("a backslash is written `\\\\`",))
        code = self._hex()
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
            self.at += 2
            low = self._hex()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code < 0xE000:
            raise self.fail(start, self.at, "half of a surrogate pair is no character")
        return chr(code)

    def _hex(self) -> int:
        found = _HEX.match(self.text, self.at)
        if found is None:
            helps = ("write `\\u` and four hexadecimal digits, or `\\\\` for a backslash",)
            raise self.fail(self.at - 2, self.at, "this is no escape sequence", helps)
        self.at += 4
        return int(found[0], 16)

    def _lines(self) -> str:
        """A text in three single quotes: as many columns as stand before it are taken off every line."""
        start = self.at
        end = self.text.find(TRIPLE, start + 3)
        if end < 0:
            raise self.fail(start, start + 3, "the text has no closing quotes", (f"close it: {TRIPLE}",))
        indent = start - (max(self.text.rfind("\n", 0, start), self.text.rfind("\r", 0, start)) + 1)
        first, *rest = re.split(r"\r\n|\r|\n", self.text[start + 3 : end])
        lines = [line[_margin(line, indent) :] for line in rest]
        head = first.lstrip(" \t")
        self.at = end + 3
        return "\n".join((head, *lines) if head or not rest else lines).removesuffix("\n")


def _number(integer: str, rest: str) -> Json:
    """An integer as such; infinity for what neither a float nor 64 bits hold."""
    if rest:
        return float(integer + rest)
    if len(integer) > _LONGEST or not -(2**63) <= int(integer) < 2**63:
        return float("-inf" if integer.startswith("-") else "inf")
    return int(integer)


def _margin(line: str, most: int) -> int:
    """Columns of white space that ``line`` begins with, at most ``most``."""
    return min(most, len(line) - len(line.lstrip(" \t")))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
