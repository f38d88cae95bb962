"""How ranks find themselves and one another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from cfgc.diagnostics import Diagnostic
from cfgc.sbatch.rules.common import at, at_node, clipped
from cfgc.sbatch.script import Command, Script, unquoted
from cfgc.sbatch.shell import CAPTURED, FUNCTION, HEREDOC, NESTED, above, expanded, use_of
from cfgc.sbatch.steps import (
    asked,
    gpus_per_node,
    is_launcher,
    is_work,
    nodes_of,
    program_of,
    step_of,
    steps,
    tasks_per_node,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_OF_A_TASK = frozenset({"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"})


def expanded_too_early(script: Script) -> Iterator[Diagnostic]:
    """A task's own number, put in by the batch shell."""
    if not script.is_batch or not any(steps(script)) or _has_one_task(script):
        return
    found = (node for node in script.nodes("simple_expansion", "expansion") if _name(script, node) in _OF_A_TASK)
    for node in islice(found, 100):
        name = _name(script, node)
        place = _place(script, node)
        if place is not None:
            yield Diagnostic(
                "CFG680",
                f"`${name}` is put in here, by the batch script: every task gets 0",
                at_node(script, node),
                secondary=(at(place, "starts the tasks"),),
                notes=("the batch script runs on the first node alone, as task 0; each task has a number of its own",),
                helps=(
                    f"let the task expand it: srun bash -c '… ${name} …'",
                    f"within double quotes: \\${name}",
                ),
            )
            return


def _name(script: Script, node: Node) -> str:
    return next((script.text_of(child) for child in node.named_children if child.type == "variable_name"), "")


def _has_one_task(script: Script) -> bool:
    tasks = asked(script, "--ntasks")
    per_node = asked(script, "--ntasks-per-node")
    one = nodes_of(script) == 1 and (per_node or tasks or 1) == 1
    return one and all(step_of(c).option("--ntasks", "--ntasks-per-node") is None for c in script.named("srun"))


def _place(script: Script, node: Node) -> Command | None:
    """The srun that the number goes to, maybe by a variable; None where it is right, or does no harm."""
    use = use_of(node)
    if use & {FUNCTION, HEREDOC}:
        return None
    for parent, _ in above(node):
        if parent.type == "command":
            command = next((one for one in script.commands if one.node == parent), None)
            return command if command is not None and program_of(command) == "srun" and is_work(command) else None
        if parent.type == "variable_assignment":
            return _assigned(script, parent)
    return None


def _assigned(script: Script, node: Node) -> Command | None:
    name = node.child_by_field_name("name")
    if name is None or CAPTURED in use_of(node):
        return None
    variable = script.text_of(name).partition("[")[0]
    exported = node.parent is not None and node.parent.type == "declaration_command"
    after = (one for one in script.commands if one.node.start_byte > node.end_byte)
    users = list(islice((one for one in after if program_of(one) == "srun" and is_work(one)), 20))
    named = [
        one
        for one in users
        if re.search(rf"\$\{{?{re.escape(variable)}\b", " ".join((one.text, *_values(script, one))))
    ]
    if named:
        return named[0]
    return users[0] if exported and users and variable in {"RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK"} else None


def _values(script: Script, command: Command) -> Iterator[str]:
    """What the script gives the variables that the command names, and those that they name."""
    waiting, seen = [command.text], set[str]()
    while waiting and len(seen) < 200:
        for name in re.findall(r"(?<!\\)\$\{?(\w+)", waiting.pop()):
            if name not in seen:
                seen.add(name)
                texts = [script.text_of(value) for value in script.variables.get(name, ())]
                waiting += texts
                yield from texts


_PORT = re.compile(r"^[1-9]\d{3,4}$")
_PORT_OPTION = re.compile(
    r"--(?:(?:master[_-]port|main_process_port)[= ]+[\"']?|rdzv[_-]endpoint[= ]+\S*:)([1-9]\d{3,4})(?![\"']*[\w$`\\{])"
)


def fixed_port(script: Script) -> Iterator[Diagnostic]:
    """A rendezvous port that is the same for every job, on nodes that others may use too."""
    if not script.is_batch or _has_whole_nodes(script):
        return
    for node, name, value in script.assignments:
        if name in {"MASTER_PORT", "PORT_MASTER", "RDZV_PORT"} and _PORT.match(unquoted(script.text_of(value))):
            yield _fixed(script, node, unquoted(script.text_of(value)))
            return
    for command in script.commands:
        words = " ".join(command.words)
        match = _PORT_OPTION.search(words) if is_work(command) or is_launcher(expanded(command)) else None
        if match:
            yield _fixed(script, command.node, match[1])
            return


def _has_whole_nodes(script: Script) -> bool:
    """Whether the job has its nodes for itself: it says so, or asks for as much as a node has."""
    memory = script.directive("--mem")
    asks = script.directive("--exclusive") is not None or (memory is not None and memory.value == "0")
    cpus = (asked(script, "--cpus-per-task") or 1) * (tasks_per_node(script) or 1)
    gpus = gpus_per_node(script) or (asked(script, "--gpus-per-task") or 0) * (tasks_per_node(script) or 1)
    return asks or gpus >= 4 or (not gpus and cpus >= 32)


def _fixed(script: Script, node: Node, port: str) -> Diagnostic:
    return Diagnostic(
        "CFG683",
        f"every job that starts on a node takes port {port}",
        at_node(script, node),
        notes=("the second one on the node fails with “address already in use”, or joins the first one's ranks",),
        helps=("export MASTER_PORT=$((10000 + SLURM_JOB_ID % 20000))", "or ask for whole nodes: #SBATCH --exclusive"),
        severity="warning",
    )


_ADDRESSES = frozenset({"MASTER_ADDR", "MASTER_IP", "MASTER_ADDRESS", "RDZV_HOST"})
_HOSTS = 'MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)'


def unreachable_address(script: Script) -> Iterator[Diagnostic]:
    """An address of the first node that the other nodes may not reach."""
    if (nodes_of(script) or 1) < 2:
        return
    for node, name, value in script.assignments:
        if use_of(node) & {FUNCTION, HEREDOC}:
            continue
        text = unquoted(script.text_of(value))
        alone = len(script.variables.get(name, ())) == 1 and NESTED not in use_of(node)
        if alone and name in _ADDRESSES and text in {"localhost", "127.0.0.1", "::1"}:
            yield _local(script, node, text)
        elif re.search(r"hostname\s+(-i\b|--ip-address\b|-I\b|--all-ip-addresses\b)", text):
            yield _guessed(script, node)
    for step in steps(script):
        match = re.search(
            r"--(?:master[_-]addr|rdzv[_-]endpoint)[= ]+\"?(localhost|127\.0\.0\.1)\b", " ".join(step.payload)
        )
        if match:
            yield _local(script, step.command.node, match[1])


def _local(script: Script, node: Node, address: str) -> Diagnostic:
    return Diagnostic(
        "CFG684",
        f"`{address}` is another machine on each of the {nodes_of(script)} nodes: their ranks never meet",
        at_node(script, node),
        notes=("every rank connects to this address, to find the others",),
        helps=(_HOSTS,),
    )


_OF_ITSELF = (
    "it says what the name resolves to on the node itself, which is 127.0.1.1 on Debian, or the addresses of all its "
    "networks, in no order"
)


def _guessed(script: Script, node: Node) -> Diagnostic:
    return Diagnostic(
        "CFG684",
        "the address that `hostname` says may be one that other nodes do not reach",
        at_node(script, node),
        notes=(_OF_ITSELF,),
        helps=(f"the node's name is what all nodes resolve alike: {_HOSTS}",),
        severity="warning",
    )


def one_node_of_several(script: Script) -> Iterator[Diagnostic]:
    """A launcher for several nodes that only the first one starts."""
    nodes = nodes_of(script) or 1
    if nodes < 2 or any(script.named("pdsh", "ssh", "clush", "mpirun", "mpiexec", "parallel")):
        return
    for command in script.commands:
        words = expanded(command)
        use = use_of(command.node)
        if not is_launcher(words) or use & {FUNCTION, HEREDOC, CAPTURED} or (NESTED in use and any(steps(script))):
            continue
        text = " ".join(words)
        alone = "--standalone" in text or re.search(r"--nnodes[= ]+\"?(1|1:1)\b", text)
        others = re.search(r"--hostfile|-H\b|--launcher|--deepspeed_hostfile|--include|--nodes_file", text)
        if not alone and not others and words[0].rpartition("/")[2] not in {"mpirun", "mpiexec", "horovodrun"}:
            yield Diagnostic(
                "CFG690",
                f"only the first of {nodes} nodes starts this",
                at(command),
                secondary=tuple(at(one, "asks for them") for one in [script.directive("--nodes")] if one),
                notes=("a batch script runs on the first node of its allocation; only srun starts something on each",),
                helps=(f"srun --ntasks-per-node=1 {clipped(command.text, 50)}",),
            )
            return


RULES = (expanded_too_early, fixed_port, unreachable_address, one_node_of_several)
