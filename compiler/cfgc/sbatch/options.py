"""The options that sbatch and srun have, by their releases' own help and by what they say of an ambiguous prefix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_COMMON = """
account acctg-freq bb bbf begin chdir cluster cluster-constraint clusters comment constraint container container-id
context contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency
distribution error exclude exclusive export extra extra-node-info gid gpu-bind gpu-freq gpus gpus-per-node
gpus-per-socket gpus-per-task gres gres-flags help hint hold input job-name jobid licenses mail-type mail-user mcs-label
mem mem-bind mem-per-cpu mem-per-gpu mincpus network nice no-kill nodefile nodelist nodes ntasks ntasks-per-core
ntasks-per-gpu ntasks-per-node ntasks-per-socket ntasks-per-tres oom-kill-step open-mode output overcommit oversubscribe
partition power prefer priority profile propagate qos quiet reboot reservation resv-ports segment share signal
sockets-per-node spread-job stepmgr switches tasks-per-node test-only thread-spec threads-per-core time time-min tmp
tres-bind tres-per-job tres-per-task uid usage use-min-nodes verbose version wait wckey x11
"""
_OF_SBATCH = """
array batch burst-buffer consolidate-segments export-file get-user-env ignore-pbs kill-on-invalid-dep no-requeue
parsable requeue spread-segments wait-all-nodes workdir wrap
"""
_OF_SRUN = """
accel-bind bcast bcast-exclude compress cpu-bind cpu_bind debugger-test disable-status epilog exact external-launcher
het-group immediate interactive kill-on-bad-exit label launch-cmd mem_bind mpi msg-timeout multi-prog no-allocate
overlap pack-group preserve-env prolog pty quit-on-interrupt relative send-libs slurmd-debug task-epilog task-prolog
threads treewidth unbuffered wait-for-children whole
"""
_FLAGS = """
contiguous debugger-test disable-status exact external-launcher help hold ignore-pbs interactive label multi-prog
no-allocate no-requeue overcommit overlap oversubscribe parsable preserve-env quiet quit-on-interrupt reboot requeue
share spread-job stepmgr test-only unbuffered usage use-min-nodes verbose version wait-for-children whole
bcast compress exclusive get-user-env immediate kill-on-bad-exit nice no-kill propagate pty resv-ports send-libs x11
"""
"""Those without a value, and those whose value must follow a ``=``."""

_SHORT = {
    "A": "account", "B": "extra-node-info", "C": "constraint", "D": "chdir", "F": "nodefile", "G": "gpus", "H": "hold",
    "J": "job-name", "L": "licenses", "M": "clusters", "N": "nodes", "O": "overcommit", "Q": "quiet", "S": "core-spec",
    "V": "version", "b": "begin", "c": "cpus-per-task", "d": "dependency", "e": "error", "h": "help", "i": "input",
    "k": "no-kill", "m": "distribution", "n": "ntasks", "o": "output", "p": "partition", "q": "qos",
    "s": "oversubscribe", "t": "time", "v": "verbose", "w": "nodelist", "x": "exclude",
}  # fmt: skip
_SHORT_OF_SBATCH = {"W": "wait", "a": "array"}
_SHORT_OF_SRUN = {
    "E": "preserve-env", "I": "immediate", "K": "kill-on-bad-exit", "T": "threads", "W": "wait", "X": "disable-status",
    "Z": "no-allocate", "l": "label", "r": "relative", "u": "unbuffered",
}  # fmt: skip

_ALIASES = {"--tasks-per-node": "--ntasks-per-node", "--cpu_bind": "--cpu-bind", "--mem_bind": "--mem-bind"}

_PLUGIN_FLAGS = (
    "--container-mount-home", "--no-container-mount-home", "--container-remap-root", "--no-container-remap-root",
    "--container-entrypoint", "--no-container-entrypoint", "--container-entrypoint-log", "--container-writable",
    "--container-readonly",
)  # fmt: skip
"""Options of pyxis that stand alone; its others take a value."""


@dataclass(frozen=True)
class Options:
    """What one command understands. Sites add options by plugins, so that an unknown name alone proves nothing."""

    command: str
    names: frozenset[str]
    flags: frozenset[str]
    short: dict[str, str]

    def full(self, written: str) -> str | None:
        """The long name of ``-N``, ``--nodes`` or ``--nod``; None for what is unknown or ambiguous."""
        if not written.startswith("--"):
            long = self.short.get(written[1:2])
            return f"--{long}" if long else None
        name = written[2:]
        if name in self.names:
            return _ALIASES.get(written, written)
        found = self.beginning_with(written)
        return found[0] if len(found) == 1 else None

    def beginning_with(self, written: str) -> list[str]:
        """The long names that ``written`` is a beginning of; getopt takes it when there is just one."""
        return sorted(f"--{name}" for name in self.names if name.startswith(written[2:])) if written[2:] else []

    @cached_property
    def long(self) -> tuple[str, ...]:
        """All long names with their dashes, sorted."""
        return tuple(sorted(f"--{name}" for name in self.names))


def takes_a_word(options: Options, name: str, value: str, word: str) -> bool:
    """Whether the word after ``word`` is its value."""
    if value or (name.startswith("--") and "=" in word):
        return False
    full = options.full(name)
    if full is None:
        return name.startswith("--container-") and name not in _PLUGIN_FLAGS
    return full[2:] not in options.flags


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


def _options(command: str, names: Iterable[str], flags: Iterable[str], short: dict[str, str]) -> Options:
    return Options(command, frozenset(names), frozenset(flags), {**_SHORT, **short})


SBATCH = _options("sbatch", _names(_COMMON, _OF_SBATCH), _names(_FLAGS, "wait"), _SHORT_OF_SBATCH)
SRUN = _options("srun", _names(_COMMON, _OF_SRUN), _names(_FLAGS), _SHORT_OF_SRUN)
