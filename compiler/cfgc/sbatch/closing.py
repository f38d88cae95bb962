"""What a script opens and never closes: brackets, here-documents, ``if`` and its like, read as bash reads them.

Not by tree-sitter's errors: some of what it does not understand is bash, and some of what bash refuses it reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from cfgc.sbatch.cursor import Cursor, Fault, Open, TooHardError

MOST_OPEN = 10
"""More of them than this are no slip."""

_LOOPS = frozenset({"for", "while", "until", "select"})
_NO_COMMANDS = frozenset({"[[", "pattern(", "array("})
_ENDS = {"[[": "]]", "case": "esac"}
_FOLLOWS = {
    "then": {"if"}, "elif": {"then"}, "else": {"then"}, "fi": {"then", "else"}, "do": _LOOPS, "done": {"do"},
    "esac": {"case"}, "}": {"{"},
}  # fmt: skip
"""What may be open where a word comes that goes on with it, or ends it."""

_ESCAPED = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)[ \t]*((?:\\.|'[^'\n]*'|\"[^\"\n]*\"|[^\s;&|()<>'\"\\])+)")
_WORD = re.compile(r"(?:[A-Za-z]+|\[\[|\]\]|[{}!])(?=[\s;&|()<>`]|\Z)")
_PLAIN = re.compile(r"[^\s;&|()<>'\"`$\\#]+")
_FOR = re.compile(r"\s+\w+(\s+in\b)?")
_AFTER = {
    "function": re.compile(r"\s+[^\s(){}]+\s*(?:\(\s*\))?"),
    "coproc": re.compile(r"\s+\w+(?=\s+[{(])"),
    "time": re.compile(r"[ \t]+-p\b"),
}
"""What stands between such a word and the command."""

_EMPTY = re.compile(r"\(\s*\)")
_DIVIDES = frozenset(" \t\n;&|()<>")
_LINE = re.compile(r".*")
_LEAVES = re.compile(r"(?:exit\b|exec[ \t]+[^\s<>&{\d])[^|&\n]*$", re.MULTILINE)


@dataclass
class Reader(Cursor):
    """One pass over a script. ``leaves``: it does so on this line."""

    leaves: bool = False
    heredocs: list[tuple[int, str, bool]] = field(default_factory=list)

    def read(self) -> Fault | None:
        """The first fault, None when everything is closed; bash reads as it runs, and so nothing after an ``exit``."""
        while self.fault is None and self.at < len(self.text):
            word = self.opened[-1].word if self.opened else ""
            if word == '"':
                self.in_quotes()
            elif word == "${":
                self.in_braces()
            elif word in {"((", "$((", "sum("}:
                self.in_a_sum()
            elif not word and self._ends_here():
                return None
            else:
                self._in_commands(word)
        if self.fault is None and self.opened:
            self.fault = Fault(self.opened[-1].word, self.opened[-1].place)
        return self.fault

    def _ends_here(self) -> bool:
        """Whether this is the end of a line that leaves the script, whatever happened before."""
        here = self.text[self.at]
        if here == "e" and not self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at].strip():
            self.leaves = _LEAVES.match(self.text, self.at) is not None
        return here == "\n" and self.leaves

    def _in_commands(self, word: str) -> None:
        here = self.text[self.at]
        if here in "'\"$`\\":
            self._in_a_word(here)
        elif here == "#" and self._begins_a_word() and word != "pattern(":
            self.take(_LINE, "#")
        elif here in "()":
            self._bracket(here, word)
        elif here in "<>":
            self._redirection(word)
        elif here in ";&|\n":
            self._separator(here, word)
        elif here in " \t":
            self.at += 1
        elif not self._keyword(word):
            plain = _PLAIN.match(self.text, self.at)
            self.at = plain.end() if plain else self.at + 1
            self.start = False

    def _begins_a_word(self) -> bool:
        return self.at == 0 or self.text[self.at - 1] in _DIVIDES

    def _in_a_word(self, here: str) -> None:
        if self.text.startswith("\\\n", self.at):
            self.at += 2
            return
        self.start = False
        if here == "'":
            self.quoted()
        elif self.text.startswith("$'", self.at):
            self.take(_ESCAPED, "$'")
        elif here == '"':
            self.push('"', 1)
        elif not self.opens():
            self.at += 1

    def _bracket(self, here: str, word: str) -> None:
        if here == ")":
            self._closes_a_bracket(word)
        elif word == "case" and self.opened[-1].patterns and self._begins_a_word():
            self.at += 1
        elif self.text.startswith("((", self.at) and self.at not in self.no_sums and self._begins_a_word():
            self.push("((", 2)
        elif (empty := _EMPTY.match(self.text, self.at)) and word not in _NO_COMMANDS:
            self.at, self.start = empty.end(), True
        elif self.text[self.at - 1 : self.at] == "=":
            self.push("array(", 1)
            self.start = False
        elif word in _NO_COMMANDS or not self._begins_a_word():
            self.push("pattern(", 1)
        else:
            self.push("(", 1)
            self.start = True

    def _closes_a_bracket(self, word: str) -> None:
        if word == "case" and self.opened[-1].patterns:
            self.opened[-1].patterns = False
            self.start = True
            self.at += 1
        elif word in {"(", "$(", "pattern(", "array("}:
            self.start = word == "("
            self.pop()
        else:
            self._unexpected(")")

    def _redirection(self, word: str) -> None:
        found = _HEREDOC.match(self.text, self.at)
        if self.text.startswith("<<<", self.at):
            self.at += 3
        elif word in {"[[", "pattern("}:
            self.at += 1
        elif found:
            self.heredocs.append((self.at, re.sub(r"[\\'\"]", "", found[2]), bool(found[1])))
            self.at = found.end()
        elif self.text[self.at + 1 : self.at + 2] == "(":
            self.at += 1
            self.push("$(", 1)
            self.start = True
        else:
            self.at += 2 if self.text[self.at + 1 : self.at + 2] in {"&", "|", ">"} else 1

    def _separator(self, here: str, word: str) -> None:
        self.start = word not in _NO_COMMANDS
        if here == "\n" and self.heredocs:
            self._bodies()
            return
        ends = next((end for end in (";;&", ";;", ";&") if self.text.startswith(end, self.at)), "")
        self.at += len(ends) or 1
        if ends and word == "case":
            self.opened[-1].patterns = True
        elif (ends and self.start) or (here == ";" and word == "[["):
            self.at -= len(ends) or 1
            self._unexpected(ends or here)

    def _bodies(self) -> None:
        """Step over the here-documents that begin with the next line."""
        self.at += 1
        for place, end, tabs in self.heredocs:
            found = re.compile(rf"^{chr(9) + '*' if tabs else ''}{re.escape(end)}$", re.M).search(self.text, self.at)
            if found is None:
                self.fault = Fault("<<", place, end)
                return
            self.at = found.end()
        self.heredocs.clear()

    def _keyword(self, word: str) -> bool:
        found = _WORD.match(self.text, self.at) if self._begins_a_word() else None
        if found is None:
            return False
        name = found[0]
        if word == "[[" or (word == "case" and self.opened[-1].patterns):
            ends = name == _ENDS[word]
            if ends:
                self.pop(len(name))
            self.start = ends
            return ends
        return self.start and self._reserved(name, word)

    def _reserved(self, name: str, word: str) -> bool:
        if name in {"if", "while", "until", "case", "[[", "for", "select", "{"}:
            self._begins(name, word)
        elif name in _FOLLOWS:
            self._goes_on(name, word)
        elif name in _AFTER or name == "!":
            self.at += len(name)
            rest = _AFTER[name].match(self.text, self.at) if name in _AFTER else None
            self.at = rest.end() if rest else self.at
        else:
            return False
        return True

    def _begins(self, name: str, word: str) -> None:
        if name == "{" and word in {"for", "select"}:
            self.opened.pop()
        self.push(name, len(name))
        self.start = name not in {"case", "[[", "for", "select"}
        self.opened[-1].patterns = name == "case"
        rest = _FOR.match(self.text, self.at) if name in {"for", "select"} else None
        if rest:
            self.at, self.start = rest.end(), rest[1] is None

    def _goes_on(self, name: str, word: str) -> None:
        if word not in _FOLLOWS[name]:
            self._unexpected(name)
            return
        self.at += len(name)
        place = self.opened.pop().place
        if name in {"then", "elif", "else", "do"}:
            self.opened.append(Open("if" if name == "elif" else name, place))

    def _unexpected(self, closer: str) -> None:
        top = self.opened[-1] if self.opened else None
        self.fault = Fault(top.word if top else "", top.place if top else None, closer, self.at)


def first_fault(text: str, *, posix: bool = False) -> Fault | None:
    """The first thing that is opened and not closed, or closed and not opened; None when all is well, or too hard."""
    reader = Reader(text, posix)
    try:
        fault = reader.read()
    except TooHardError:
        return None
    return fault if len(reader.opened) <= MOST_OPEN else None
