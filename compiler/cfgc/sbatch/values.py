"""What sbatch refuses of a line whose options it has: values, missing ones, and words that belong to no option.

Tried on Slurm 22.05. What a later release takes, or might, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cfgc.sbatch.named_values import NAMED, falls, refused_name
from cfgc.sbatch.options import SBATCH


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEEDS_A_VALUE = _words("""
--account --array --begin --chdir --comment --constraint --cpus-per-task --dependency --error --export --gres --job-name
--mail-type --mail-user --mem --mem-per-cpu --mem-per-gpu --nodelist --nodes --ntasks --ntasks-per-core --ntasks-per-gpu
--ntasks-per-node --ntasks-per-socket --output --partition --qos --reservation --signal --time --time-min
""")
_STANDS_ALONE = _words("--contiguous --exclusive --hold --no-requeue --overcommit --requeue")
"""Those of which the word that follows is certainly no value."""

_COUNTS = _words("""
--cpus-per-gpu --cpus-per-task --mincpus --ntasks --ntasks-per-core --ntasks-per-gpu --ntasks-per-node
--ntasks-per-socket --threads-per-core
""")
_SIZES = frozenset({"--mem", "--mem-per-cpu", "--mem-per-gpu"})
_TIMES = frozenset({"--time", "--time-min"})
_TEMPLATE = re.compile(r"[$`{}<>\[\]%@\\]")

_NEVER_A_VALUE = _words("""
--contiguous --hold --ignore-pbs --no-requeue --overcommit --oversubscribe --parsable --quiet --reboot --requeue
--spread-job --test-only --use-min-nodes --verbose --wait
""")
_TAKEN_LATER = frozenset({("--requeue", "expedite")})

MEMORY = re.compile(r"\d+[kmgt]b?", re.IGNORECASE)


def refused_value(name: str, value: str) -> str:
    """What this option takes instead of ``value``; empty when it may be taken, or when a template fills it in."""
    if name in NAMED:
        return refused_name(name, value)
    return "" if _TEMPLATE.search(value) else _refused_number(name, value)


def refuses_any_value(name: str, written: str, value: str) -> bool:
    """Whether this option, of which ``written`` is the short or long name, is given a value and takes none.

    What follows a short one are short ones too.
    """
    given = written.startswith("--") and value and not _TEMPLATE.search(value)
    return bool(given) and name in _NEVER_A_VALUE and (name, value) not in _TAKEN_LATER


def _refused_number(name: str, value: str) -> str:
    if name in _COUNTS and not re.fullmatch(r"\+?\d+", value):
        return "a whole number"
    if name in _COUNTS and not value.strip("+0"):
        return "a whole number above 0"
    if name == "--nodes" and (not re.fullmatch(r"[-\d,:km]+", value, re.IGNORECASE) or falls(value)):
        return "a number, or a range: 2-4"
    if name in _SIZES and not re.fullmatch(r"\d+([kmgtpe]i?b?)?", value, re.IGNORECASE):
        return "a whole number, and K, M, G or T: 64G"
    if name in _TIMES and not _is_time(value):
        return "minutes, hours:minutes:seconds or days-hours: 1-12:00:00"
    return ""


def _is_time(value: str) -> bool:
    return value.lower() in {"infinite", "unlimited"} or (
        bool(value) and not re.search(r"[A-Za-z_.;,=]|:\d*:\d*:", value)
    )


def refused_words(line: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the words after ``#SBATCH``, as (word, what is wrong): ``missing`` or ``stray``.

    Only of lines whose options are all known for certain, and which are written without quotes and placeholders.
    """
    text = re.split(r"\s#", line, maxsplit=1)[0]
    if _TEMPLATE.search(text.replace("%", "").replace("@", "")) or re.search(r"[\"'#]", text):
        return
    words = text.split()
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not word.startswith("-"):
            yield word, "stray"
            return
        long = word.startswith("--")
        name = SBATCH.full(word.partition("=")[0] if long else word[:2])
        if name not in _NEEDS_A_VALUE | _STANDS_ALONE or (not long and len(word) > 2 and name in _STANDS_ALONE):
            return
        if name in _NEEDS_A_VALUE and ("=" not in word if long else len(word) == 2):
            if place == len(words):
                yield word, "missing"
            place += 1
