"""Values of sbatch's options that are words of its own, or lists in a form of its own.

Tried on Slurm 22.05; what a later release takes, or might, is taken here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MAIL = r"NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|ARRAY_TASKS|TIME_LIMIT(_[589]0)?"
_HINTS = "compute_bound|memory_bound|multithread|nomultithread|help"
_SIGNALS = (
    "HUP|INT|QUIT|ILL|TRAP|ABRT|IOT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|CHLD|CLD|CONT|STOP|TSTP|TTIN|TTOU"
    r"|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|POLL|PWR|SYS|RTM(IN|AX)([+-]\d+)?|[1-9]\d*"
)
_INDEXES = r" *\d*(-\d*(:[1-9]\d*)?)?"
_IDS = r"(:\d+(_(\d+|\*))?(\+\d+)?)+"
_DEPENDENCY = rf"(after(any|notok|ok|corr|burstbuffer)?|expand){_IDS}|singleton|\d+(_\d+)?(:\d+)*|"
_LEVELS = r"(block|cyclic|arbitrary|plane(=\d+)?|\*)(:(block|cyclic|fcyclic|\*)){0,2}"


def _list_of(item: str, separators: str = ",") -> str:
    return rf"(?:{item})?(?:[{separators}](?:{item})?)*"


_TAKEN = {
    "--mail-type": (_list_of(f" *({_MAIL})"), "names of events, with commas: END,FAIL"),
    "--exclusive": ("user|mcs|topo|exclusive", "it without a value, or user, or mcs"),
    "--signal": (rf"([BR]+:)?(SIG)?({_SIGNALS})(@\d*)?", "a signal, and seconds: B:USR1@120"),
    "--hint": (_list_of(_HINTS), "compute_bound, memory_bound, multithread or nomultithread"),
    "--array": (rf"\[?{_list_of(_INDEXES)}\]?(%[%\d]*)?", "numbers and ranges of them: 0-9%4"),
    "--open-mode": ("[at].*", "append or truncate"),
    "--distribution": (rf"({_LEVELS})?,?((no)?pack)?", "block, cyclic or plane=N"),
    "--dependency": (_list_of(_DEPENDENCY, ",?"), "a kind, and the ids of jobs: afterok:1234"),
    "--kill-on-invalid-dep": ("yes|no", "yes or no"),
}
_BEGINNINGS = frozenset({"now", "today", "tomorrow", "midnight", "noon", "elevenses", "fika", "teatime"})

_GRES = re.compile(r"[=;]|::|:(,|$)|(^|,)(:|\d+(,|$))")
"""What is refused of it: an ``=``, a number without a name, a name without a number behind its colon."""


def _gres(value: str) -> str:
    return "a name, its type where there are several, and a number: gpu:2" if _GRES.search(value) else ""


def _begin(value: str) -> str:
    word = re.fullmatch(r"[A-Za-z]+", value)
    wrong = value.lower() not in _BEGINNINGS if word else re.fullmatch(r"now\+\d+[smhdw]", value)
    return "a time: 16:00, 2030-01-20T12:34:00, tomorrow or now+1hour" if wrong else ""


def _nodes(value: str) -> str:
    """A path is that of a file with names; doubled brackets are a template's."""
    wrong = "/" not in value and "[[" not in value and re.search(r"[\[\]]", re.sub(r"\[[^\[\]]*\]", "", value))
    return "names, and ranges of them in brackets: n[1-4],m7" if wrong else ""


def _constraint(value: str) -> str:
    return "names, with & for all of them or | for any: a&b" if re.search(r"[&|]{2}", value) else ""


_LOOKED_AT: dict[str, Callable[[str], str]] = {
    "--gres": _gres,
    "--begin": _begin,
    "--nodelist": _nodes,
    "--exclude": _nodes,
    "--constraint": _constraint,
}

_LONGEST_LEAD_S = 65535

NAMED = frozenset({*_TAKEN, *_LOOKED_AT})
"""Options that this module knows the values of."""

_PLACEHOLDER = re.compile(r"[$`{}<>\\]|@\w*[A-Za-z]\w*@|%[A-Za-z]")
"""What a template fills in: ``{{ jobs }}``, ``<id>``, ``@SIGNAL@``, ``%SIGNAL%``."""


def refused_name(name: str, value: str) -> str:
    """What one of these options takes instead of ``value``; empty when it may be taken."""
    if not value or _PLACEHOLDER.search(value):
        return ""
    if name in _LOOKED_AT:
        return _LOOKED_AT[name](value)
    taken, helped = _TAKEN[name]
    seconds = value.partition("@")[2].lstrip("0") if name == "--signal" else ""
    if seconds.isdecimal() and (len(seconds) > 5 or int(seconds) > _LONGEST_LEAD_S):
        return f"a signal, and at most {_LONGEST_LEAD_S} seconds: B:USR1@120"
    ends = name == "--array" and falls(value)
    return "" if re.fullmatch(taken, value, re.IGNORECASE) and not ends else helped


def may_be_taken_later(name: str, value: str) -> bool:
    """Whether scripts for other releases are written so: ``--gres=gpu=1``."""
    return name == "--gres" and "=" in value


def falls(value: str) -> bool:
    """Whether a range ends before it begins: ``4-2``."""
    return any(int(first) > int(last) for first, last in re.findall(r"(?<!\d)(\d{1,9})-(\d{1,9})(?!\w)", value))
