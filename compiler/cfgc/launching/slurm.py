"""Slurm: options and variables of job.sbatch.

Sources: for what is old, the manual pages of 17.11 (https://manpages.ubuntu.com/manpages/bionic/man1/sbatch.1.html,
srun and scontrol beside it); for ``--gpus-per-node`` (19.05) and ``SRUN_CPUS_PER_TASK`` (22.05), the release notes
(https://slurm.schedmd.com/news.html).
"""

from __future__ import annotations

from cfgc.launching.used import Used

SLURM_RELEASES = (*("18.08", "19.05", "20.02", "20.11", "21.08", "22.05", "23.02", "23.11", "24.05", "24.11", "25.05"),)
"""What ``target.slurm`` can be: the oldest release that the job script must run on; newer ones run it too."""

GPUS_PER_NODE = Used("gpus-per-node", "19.05")

DIRECTIVES: tuple[Used, ...] = (
    *(Used(name, "17.11") for name in ("job-name", "output", "open-mode", "nodes", "ntasks-per-node", "cpus-per-task")),
    *(
        Used(name, "17.11")
        for name in ("gres", "mem", "exclusive", "time", "partition", "account", "qos", "reservation")
    ),
    *(Used(name, "17.11") for name in ("constraint", "exclude", "mail-user", "mail-type", "signal")),
    *(Used(name, "17.11") for name in ("requeue", "no-requeue")),
    GPUS_PER_NODE,
)
"""Options after ``#SBATCH --``."""

GPUS_ON_NODE = Used("SLURM_GPUS_ON_NODE", "20.11", "the number of GPUs is checked by the ranks only")

GPU_BINDING = (
    *("SLURM_GPUS_PER_TASK", "SLURM_NTASKS_PER_GPU", "SLURM_GPU_BIND", "SLURM_TRES_BIND", "SLURM_TRES_PER_TASK"),
)
"""Variables by which srun would show a task some of the node's GPUs only. They are unset: their age does not matter."""

OVERLAP = Used("--overlap", "20.11", "steps share the job's resources unless they ask not to")

SRUN: tuple[Used, ...] = (
    *(Used(name, "17.11") for name in ("--nodes", "--ntasks", "--ntasks-per-node", "--kill-on-bad-exit", "--wait")),
    *(Used(name, "17.11") for name in ("--distribution", "--mpi", "--export", "--cpu-bind")),
    OVERLAP,
)

SBATCH: tuple[Used, ...] = (
    *(Used(name, "17.11") for name in ("--parsable", "--test-only", "--output", "--exclude", "--array")),
    *(Used(name, "17.11") for name in ("--dependency", "--kill-on-invalid-dep", "--job-name", "--partition")),
)
"""Options with which scripts submit."""

COMMANDS: tuple[Used, ...] = (
    *(Used(name, "17.11") for name in ("scontrol show job", "scontrol show hostnames", "scontrol requeue")),
    *(Used(name, "17.11") for name in ("scontrol show config", "scontrol update")),
)

VARIABLES: tuple[Used, ...] = (
    *(Used(name, "17.11") for name in ("SLURM_JOB_ID", "SLURM_JOB_NUM_NODES", "SLURM_JOB_NODELIST", "SLURM_NODEID")),
    *(Used(name, "17.11") for name in ("SLURM_JOB_NAME", "SLURM_JOB_PARTITION", "SLURM_CLUSTER_NAME")),
    *(Used(name, "17.11") for name in ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT")),
    *(
        Used(name, "17.11")
        for name in ("SLURM_TASKS_PER_NODE", "SLURM_JOB_CPUS_PER_NODE", "SLURM_LOCALID", "SLURM_PROCID")
    ),
    *(Used(name, "17.11") for name in ("SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURMD_NODENAME")),
    Used("SLURM_MEM_PER_GPU", "19.05", "there is no --mem-per-gpu, so that a job's memory is by node or by CPU"),
    Used("SLURM_CONF", "17.11"),
    GPUS_ON_NODE,
    Used("SRUN_CPUS_PER_TASK", "22.05", "srun reads SLURM_CPUS_PER_TASK, which sbatch sets from --cpus-per-task"),
)
