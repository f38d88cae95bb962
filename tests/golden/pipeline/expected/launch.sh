#!/usr/bin/env bash
# Runs the stages of chain on this machine, one after the other. Written by cfgc: change the spec and build again.
if [ -z "${BASH_VERSION:-}" ]; then # such as `sh launch.sh` where that is dash
  echo "launch.sh: it needs bash; run it with: bash $0" >&2
  exit 64
fi
set -euo pipefail

bundle=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
echo "launch.sh: stage pretrain is for several nodes; submit the pipeline: $bundle/submit.sh" >&2
exit 64
