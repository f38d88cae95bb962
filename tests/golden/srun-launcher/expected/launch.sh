#!/usr/bin/env bash
# Starts srun-launcher on this machine, or resumes it. Written by cfgc: change the spec and build again.
# shellcheck disable=SC1003,SC2016 # what stands in single quotes is meant literally, or expanded later
if [ -z "${BASH_VERSION:-}" ]; then # such as `sh launch.sh` where that is dash
  echo "launch.sh: it needs bash; run it with: bash $0" >&2
  exit 64
fi
set -euo pipefail

bundle=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
run_dir=
hosts=()

usage() {
  cat <<'END'
usage: launch.sh --hosts HOST,… [--run-dir DIR]

Runs srun-launcher on 2 machines, 8 ranks in all. Start the same command on each of them, in a directory that
all of them see. Started again, it goes on from what was saved.

  --hosts LIST    the machines, separated by commas; on the first one the ranks meet
  --hosts-file F  the same, one a line
  --node-rank K   which of them this is, from 0; otherwise its host name says it
  --run-dir DIR   keep checkpoints, metrics and logs in DIR
  PYTHON=...      environment variable: the interpreter to use

Ctrl-C, USR2 or TERM: it saves, then ends with exit code 75.
END
}

while (($#)); do
  case $1 in
    --run-dir)
      if (($# < 2)); then
        echo "launch.sh: --run-dir needs a directory" >&2
        exit 64
      fi
      run_dir=$2
      shift 2
      ;;
    --run-dir=*)
      run_dir=${1#*=}
      shift
      ;;
    --hosts | --hosts-file | --node-rank)
      if (($# < 2)); then
        echo "launch.sh: $1 needs a value" >&2
        exit 64
      fi
      hosts+=("$1=$2")
      shift 2
      ;;
    --hosts=* | --hosts-file=* | --node-rank=*)
      hosts+=("$1")
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "launch.sh: unknown argument: $1" >&2
      usage >&2
      exit 64
      ;;
  esac
done

if ((${#hosts[@]} == 0)); then
  echo "launch.sh: this plan is for 2 nodes; start it with sbatch $bundle/job.sbatch, or on each of 2 machines" \
    "with the same list: $0 --hosts HOST1,HOST2" >&2
  exit 64
fi

# A bundle stays as it was compiled. Who stands in one starts in the project around it (cfgc.toml), or else beside it.
start=$PWD

# The outermost bundle that $1 is in, or is; nothing when there is none. A stage's bundle is in that of its pipeline.
bundle_around() {
  local place=$1 found=''
  while [[ $place == /?* ]]; do
    [[ ! -f $place/manifest.json ]] || ! grep -qsF '"bundle_digest"' -- "$place/manifest.json" || found=$place
    place=${place%/*}
  done
  echo "$found"
}

leave_bundle() {
  local around place
  around=$(bundle_around "$(pwd -P)")
  [[ -n $around ]] || return 0
  place=${around%/*}
  while [[ -n $place && ! -f $place/cfgc.toml ]]; do
    place=${place%/*}
  done
  cd -- "${place:-${around%/*}}/"
  [[ ${PYTHON:-/} != [!/]*/* ]] || PYTHON=$start/$PYTHON # it was typed there
  echo "launch.sh: $around is a bundle, which nothing is written into: starting in $PWD" >&2
}
leave_bundle
for at in "${!hosts[@]}"; do
  [[ ${hosts[at]} != --hosts-file=[!/]* ]] || hosts[at]=--hosts-file=$start/${hosts[at]#*=}
done

default_python=python3
python=${PYTHON:-$default_python}
if ! command -v -- "$python" >/dev/null; then
  echo "launch.sh: there is no interpreter $python; name one: PYTHON=/path/to/python $0" >&2
  exit 64
fi

[[ ${run_dir:-/} == /* ]] || run_dir=$start/$run_dir # it was typed there
[[ -n $run_dir ]] || run_dir="$PWD"/runs/srun-launcher
[[ $run_dir == /* ]] || run_dir=$PWD/$run_dir
around=$(bundle_around "$(readlink -m -- "$run_dir")")
if [[ -n $around ]]; then
  echo "launch.sh: the run directory $run_dir is inside the bundle $around, which nothing is written into; name another one" >&2
  exit 64
fi

export CUBLAS_WORKSPACE_CONFIG=:4096:8
export DS_ACCELERATOR=cuda
export OMP_NUM_THREADS=8
export PYTHONDONTWRITEBYTECODE=1
export PYTHONHASHSEED=0
export PYTHONUNBUFFERED=1
export TORCH_NCCL_DUMP_ON_TIMEOUT=1
export TORCH_NCCL_TRACE_BUFFER_SIZE=2000

node=
asked=
# Ctrl-C reaches the supervisor from the terminal too, and there a second one gives up at once.
trap 'asked=1; [[ -z $node ]] || kill -USR2 "$node" 2>/dev/null || :' USR2 TERM INT

# One start; its exit code becomes $code.
attempt() {
  # In the background, because bash runs a trap only after a foreground command has ended; deaf until Python listens.
  (
    trap '' USR2 TERM
    exec "$python" -B "$bundle/runtime" join --bundle "$bundle" --run-dir "$run_dir" "${hosts[@]}" --port 0 -- \
      "$python" -B -m torch.distributed.run --nnodes=2 --nproc-per-node=4 \
      --max-restarts=0 --shutdown-timeout=300 "$run_dir/bundle/runtime" rank
  ) &
  node=$!

  # A trap ends `wait` early. The request is repeated, since a supervisor that was just starting did not hear it.
  while kill -0 "$node" 2>/dev/null; do
    if [[ -z $asked ]]; then
      wait "$node" || :
    else
      kill -USR2 "$node" 2>/dev/null || :
      sleep 0.5 || :
    fi
  done
  code=0
  wait "$node" || code=$?
  node=
}

attempt

if ((code == 0)); then
  "$python" -B "$run_dir/bundle/runtime" finish --run-dir "$run_dir" || :
fi
exit "$code"
