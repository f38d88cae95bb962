#!/usr/bin/env bash
# Submits the stages of chain to Slurm, each after those that it needs. Written by cfgc: change the spec and build again.
if [ -z "${BASH_VERSION:-}" ]; then # such as `sh submit.sh` where that is dash
  echo "submit.sh: it needs bash; run it with: bash $0" >&2
  exit 64
fi
set -euo pipefail

bundle=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
run_dir=${CFGC_RUN_DIR:-}
dry_run=
test_only=

usage() {
  cat <<'END'
usage: submit.sh [OPTION...] [-- SBATCH-OPTION...]

Submits the stages of chain: pretrain, finetune, judge, export, report.
Prints a line `stage job-id` for each. Again after a failure it goes on where the chain stopped: what has finished is
left alone, what is queued or runs is not submitted twice, and the rest is submitted.

  --run-dir DIR   keep the stages' run directories in DIR/stages
  --test-only     ask Slurm whether it would take each stage, and submit nothing
  --dry-run       say what would be submitted, and submit nothing
  -- OPTION...    options of sbatch for every stage

Exit codes: 0 submitted, 64 wrong command line or a variable is missing, 65 a stage that has to run again is running, or
has finished with what an earlier one made, 69 Slurm is not here or refuses, 73 the run directory cannot be written, or
another submit.sh works on it.
END
}

fail() {
  echo "submit.sh: $1" >&2
  exit "$2"
}

while (($#)); do
  case $1 in
    --run-dir)
      (($# > 1)) || fail "--run-dir needs a directory" 64
      run_dir=$2
      shift 2
      ;;
    --run-dir=*)
      run_dir=${1#*=}
      shift
      ;;
    --test-only)
      test_only=1
      shift
      ;;
    --dry-run)
      dry_run=1
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      break
      ;;
    *)
      usage >&2
      fail "unknown argument: $1" 64
      ;;
  esac
done
options=("$@")

needed=( DATA_DIR HF_TOKEN SCRATCH )
missing=()
for variable in "${needed[@]}"; do
  [[ -n ${!variable:-} ]] || missing+=("$variable")
done
((${#missing[@]} == 0)) || fail "set these first (the stages' PLAN.md say what for): ${missing[*]}" 64

# Ends this where one of these commands is not here.
want() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail "there is no $command here; on one machine without Slurm: $bundle/launch.sh" 69
  done
}

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
  echo "submit.sh: $around is a bundle, which nothing is written into: starting in $PWD" >&2
}
leave_bundle
[[ ${run_dir:-/} == /* ]] || run_dir=$start/$run_dir # it was typed there
[[ -n $run_dir ]] || run_dir="$SCRATCH"/chains/first
[[ $run_dir == /* ]] || run_dir=$PWD/$run_dir
around=$(bundle_around "$(readlink -m -- "$run_dir")")
if [[ -n $around ]]; then
  echo "submit.sh: the run directory $run_dir is inside the bundle $around, which nothing is written into; name another one" >&2
  exit 64
fi

if [[ -n $test_only ]]; then
  want sbatch
  stages=( pretrain finetune judge export report )
  for stage in "${stages[@]}"; do
    bash "$bundle/stages/$stage/submit.sh" --test-only --run-dir "$run_dir/stages/$stage" -- ${options[@]+"${options[@]}"} ||
      fail "it was stage $stage; those after it were not asked about" $?
  done
  exit
fi

if [[ -z $dry_run ]]; then
  want sbatch squeue scancel
  command -v flock >/dev/null || fail "there is no flock here, a command of util-linux" 69
  mkdir -p -- "$run_dir" || fail "the run directory cannot be made" 73
  { exec {lock}>>"$run_dir/.submitting"; } || fail "$run_dir/.submitting cannot be written" 73
  flock --nonblock "$lock" || fail "another submit.sh works on $run_dir" 73
fi

declare -A unsettled # stages that have not finished, and those that come after them
stale=()

# One stage: its name, the digest of its plan, and the stages that it needs, of which the digest says nothing.
look_at() {
  local name=$1 digest=$2 need
  shift 2
  if ! has_finished "$name" "$digest"; then
    unsettled[$name]=1
    return
  fi
  for need in "$@"; do
    if [[ -n ${unsettled[$need]:-} ]]; then
      unsettled[$name]=1
      stale+=("$name has finished with what an earlier $need made; remove $run_dir/stages/$name, or use another --run-dir")
      return
    fi
  done
}

has_finished() {
  grep -qsF "\"plan_digest\": \"$2\"" "$run_dir/stages/$1/finished.json"
}

look_at pretrain sha256:b20cd6f12bdb2d591be2ec04d4fee8069158142852128016bfe48f9089c3c4fa
look_at finetune sha256:ed8bfd56ebc9ec3679c26532d28be5636a792365a48824272aae2ca1f8fdd928 pretrain
look_at judge sha256:b4b712bd49255a44452b0a4fbce652f0d1f5b116083587df155c887259f2b3d3 finetune
look_at export sha256:a41c9cae671115adc3ca7237b411e628e4ddce6b410be4af0b409d8c21954a24 finetune
look_at report sha256:db7b8727bf686607fc701725d65974ba8aee32ce77d20bb285451054c1c5c9fb judge export
if ((${#stale[@]})); then
  for line in "${stale[@]}"; do
    echo "${BASH_SOURCE[0]##*/}: $line" >&2
  done
  exit 65
fi

declare -A job fresh # by stage: the job that others wait for, and whether it was submitted just now

# The newest job of a stage, as its own submit.sh wrote it down; nothing where there is none.
recorded() {
  local line
  [[ -r $run_dir/stages/$1/jobs.jsonl ]] || return 0
  line=$(tail -n 1 -- "$run_dir/stages/$1/jobs.jsonl")
  [[ ! $line =~ \"id\":\ \"([0-9]+)\" ]] || echo "${BASH_REMATCH[1]}"
}

# The state of a job; nothing once it is over. One that is just ending may be queued again: five minutes for it.
state_of() {
  local said turn
  want squeue
  for ((turn = 0; turn < 150; turn++)); do
    if ! said=$(squeue --noheader --jobs="$1" --format=%T 2>&1); then
      [[ $said == *"Invalid job id"* ]] || fail "squeue: $said" 69
      said=
    fi
    case $said in
      COMPLETING)
        ((turn)) || echo "submit.sh: waiting for job $1 of $2, which is just ending" >&2
        sleep 2
        ;;
      BOOT_FAIL | CANCELLED | COMPLETED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | TIMEOUT) return ;;
      *)
        echo "$said"
        return
        ;;
    esac
  done
  fail "job $1 of $2 is COMPLETING for too long; start again when it has left the queue" 69
}

# One stage: its name, the digest of its plan, and the stages that it needs.
submit_stage() {
  local name=$1 digest=$2 need id state waits again='' code=0
  shift 2
  if has_finished "$name" "$digest"; then
    echo "submit.sh: $name has finished" >&2
    return
  fi
  local ids=()
  for need in "$@"; do
    [[ -z ${job[$need]:-} ]] || ids+=("${job[$need]}")
    [[ -z ${fresh[$need]:-} ]] || again=1
  done
  id=$(recorded "$name")
  state=
  [[ -z $id ]] || state=$(state_of "$id" "$name")
  if [[ -n $state && -z $again ]]; then
    job[$name]=$id
    echo "submit.sh: $name is $state" >&2
    echo "$name $id"
    return
  fi
  if [[ -n $state ]]; then # it waits for a job that failed
    [[ $state == PENDING ]] ||
      fail "$name is $state as job $id, and a stage that it needs is to run again; end it first: scancel $id" 65
    [[ -n $dry_run ]] || scancel "$id"
  fi
  local after=()
  if ((${#ids[@]})); then
    waits=$(IFS=: && echo "${ids[*]}")
    after=("--dependency=afterok:$waits" --kill-on-invalid-dep=yes)
  fi
  fresh[$name]=1
  if [[ -n $dry_run ]]; then
    job[$name]=JOB-OF-$name
    echo "$name would be submitted${after[*]:+ with ${after[*]}}"
    return
  fi
  id=$(bash "$bundle/stages/$name/submit.sh" --parsable --run-dir "$run_dir/stages/$name" -- \
    ${after[@]+"${after[@]}"} ${options[@]+"${options[@]}"}) || code=$?
  if [[ -z $id ]] && ((code == 0)); then # with a plan that differs in nothing that counts
    unset "fresh[$name]"
    return
  fi
  [[ -n $id ]] || fail "stage $name was not submitted" "$code"
  job[$name]=$id
  echo "$name $id"
  ((code == 0)) || fail "stage $name ended with exit code $code" "$code" # it was waited for (--wait)
}

submit_stage pretrain sha256:b20cd6f12bdb2d591be2ec04d4fee8069158142852128016bfe48f9089c3c4fa
submit_stage finetune sha256:ed8bfd56ebc9ec3679c26532d28be5636a792365a48824272aae2ca1f8fdd928 pretrain
submit_stage judge sha256:b4b712bd49255a44452b0a4fbce652f0d1f5b116083587df155c887259f2b3d3 finetune
submit_stage export sha256:a41c9cae671115adc3ca7237b411e628e4ddce6b410be4af0b409d8c21954a24 finetune
submit_stage report sha256:db7b8727bf686607fc701725d65974ba8aee32ce77d20bb285451054c1c5c9fb judge export
[[ -n $dry_run ]] || echo "submit.sh: run directories are in $run_dir/stages; with cfgc: cfgc runs DIR, cfgc logs DIR" >&2
