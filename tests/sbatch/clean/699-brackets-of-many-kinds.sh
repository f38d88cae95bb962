#!/usr/bin/env bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
shopt -s nullglob
files=(run/*.pt "a (copy).pt" 'it"s.pt') # all of them (
count=$((${#files[@]} + (1 << 2) - 16#f))
name="$(case "$SLURM_JOB_PARTITION" in gpu | long) echo "big)" ;; *) echo "it's small" ;; esac)"
load() (
  [[ "$name" =~ ^(big|small)\)?$ ]] && { echo "${name:-'}"'}" '#' done } fi; }
  while read -r line; do :; done < <(cat <<'END'
it's a " in a here-document, and so is this: $( ${ if
END
  )
)
for ((n = 0; n < 2; n++)); do load "$n" >&2 || :; done
until { [[ -e ready ]]; } do sleep 1; done
time -p { coproc WATCH { cat; }; function stop() { kill "$WATCH_PID"; }; }
stop
for file; do echo "$file"; done
echo `hostname` $'it\'s' \" \' a#b "$#" ${name%)} "${name//\}/)}"
srun python train.py --count "$count"
