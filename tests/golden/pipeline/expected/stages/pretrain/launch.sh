#!/usr/bin/env bash
# Starts chain-pretrain on this machine, or resumes it. Written by cfgc: change the spec and build again.
# shellcheck disable=SC2016 # what stands in single quotes is meant literally, or expanded later
set -euo pipefail

bundle=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
echo "launch.sh: this plan is for 2 nodes; start it with: sbatch $bundle/job.sbatch" >&2
exit 64
