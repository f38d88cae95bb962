"""The rules of ``cfgc lint-sbatch``: each is silent unless it is sure."""

from __future__ import annotations

from cfgc.sbatch.rules import (
    directives,
    exit_codes,
    files,
    ranks,
    secrets,
    signals,
    srun_options,
    starting_again,
    syntax,
)
from cfgc.sbatch.rules.common import Rule

RULES: tuple[Rule, ...] = (
    *directives.RULES,
    *srun_options.RULES,
    *signals.RULES,
    *exit_codes.RULES,
    *starting_again.RULES,
    *ranks.RULES,
    *files.RULES,
    *secrets.RULES,
    *syntax.RULES,
)
"""All of them."""
