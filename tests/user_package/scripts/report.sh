#!/usr/bin/env bash
# Says what every rank of a script is given, and how it ends.
set -euo pipefail

mkdir -p "$CFGC_CHECKPOINT_DIR"
printf '%s\n' "rank $RANK of $WORLD_SIZE in ${PWD##*/}, attempt $CFGC_ATTEMPT, seed $CFGC_SEED, $REPORT_STYLE, $*" \
  >"$CFGC_CHECKPOINT_DIR/rank-$RANK.txt"
exit "${REPORT_EXIT:-0}"
