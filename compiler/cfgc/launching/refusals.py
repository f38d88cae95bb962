"""What to do when sbatch refuses a job: its words, and the key or the command that helps."""

from __future__ import annotations

import re

_HINTS = (
    (r"no sbatch here", "submit on a login node, where sbatch is; on one machine without Slurm: launch.sh"),
    (r"configuration source", "this machine has sbatch but belongs to no cluster; submit on a login node"),
    (r"MaxSubmit|[Jj]ob violates", "the site limits how much one may queue: `squeue --me` shows what you have"),
    (r"[Ii]nvalid partition", "`sinfo -s` lists the partitions; set `cluster.partition`"),
    (r"[Ii]nvalid account", "`sacctmgr show associations user=$USER` lists your accounts; set `cluster.account`"),
    (r"[Ii]nvalid qos", "`sacctmgr show qos` lists what there is; set `cluster.qos`"),
    (r"[Ii]nvalid generic resource", "`sinfo -o '%P %G'` shows how GPUs are called here; set `cluster.gres`"),
    (r"[Ii]nvalid feature", "`sinfo -o '%P %f'` shows the features of nodes; set `cluster.constraint`"),
    (
        r"[Ii]nvalid node name",
        "a host of `cluster.exclude`, or of excluded_nodes in the run directory, is not of this site",
    ),
    (
        r"[Rr]equested node configuration|[Mm]ore processors requested|[Nn]ode count specification",
        "no node of the partition has so much: compare `sinfo -e -o '%P %D %c %m %G'` with PLAN.md",
    ),
    (r"[Tt]ime limit", "`sinfo -o '%P %l'` shows the limits; set `launch.time_limit`"),
    (
        r"[Ii]nvalid job array",
        "the site takes smaller arrays: `scontrol show config` has MaxArraySize; set `cluster.max_array_size`",
    ),
    (
        r"[Uu]nable to contact slurm controller|[Ss]ocket timed out|[Cc]onnection refused",
        "the controller does not answer; before you submit again, see with `squeue --me` whether the job is there",
    ),
    (r"nrecognized option|nvalid option", "`sbatch --help` lists the options of this release"),
)


def hint_for(words: str) -> str:
    """What helps against what sbatch said; empty when nothing is known."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, words)), "")
