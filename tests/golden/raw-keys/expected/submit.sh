#!/usr/bin/env bash
# Submits raw-keys to Slurm. Written by cfgc: change the spec and build again.
# shellcheck disable=SC1003,SC2016 # what stands in single quotes is meant literally
if [ -z "${BASH_VERSION:-}" ]; then # such as `sh submit.sh` where that is dash
  echo "submit.sh: it needs bash; run it with: bash $0" >&2
  exit 64
fi
set -euo pipefail

bundle=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
run_dir=${CFGC_RUN_DIR:-}
dry_run=
test_only=
parsable=

usage() {
  cat <<'END'
usage: submit.sh [OPTION...] [-- SBATCH-OPTION...]

Submits raw-keys, and writes the job down in DIR/jobs.jsonl. Submitted again, it goes on from what the run saved.

  --run-dir DIR   keep the run's state in DIR; CFGC_RUN_DIR=DIR does the same
  --test-only     ask Slurm whether it would take it, and submit nothing
  --dry-run       say what would be done, and do nothing
  --parsable      print the number of the job and nothing else
  -- OPTION...    options of sbatch, stronger than those of the plan

Exit codes: 0 submitted, or finished already, 64 wrong command line or a variable is missing, 65 this is no whole bundle, or
the run has other values, 69 Slurm is not here or refuses, 73 the run directory or that of the log cannot be written.
END
}

fail() {
  echo "submit.sh: $1" >&2
  exit "$2"
}

tell() {
  [[ -n $parsable ]] || echo "$1"
}

while (($#)); do
  case $1 in
    --run-dir)
      (($# > 1)) || fail "$1 needs a value" 64
      set -- "$1=$2" "${@:3}"
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
    --parsable)
      parsable=1
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
      fail "unknown argument: $1; options of sbatch come after --" 64
      ;;
  esac
done
extra=("$@")

for file in manifest.json job.sbatch; do
  [[ -f $bundle/$file ]] || fail "there is no $file in $bundle, which is no whole bundle: build it again" 65
done

if [[ -z $dry_run ]]; then
  command -v sbatch >/dev/null || fail "there is no sbatch here: submit on a machine of the cluster" 69
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
  echo "submit.sh: $around is a bundle, which nothing is written into: starting in $PWD" >&2
}
leave_bundle
[[ ${run_dir:-/} == /* ]] || run_dir=$start/$run_dir # it was typed there
[[ -n $run_dir ]] || run_dir="$PWD"/runs/raw-keys
[[ $run_dir == /* ]] || run_dir=$PWD/$run_dir
around=$(bundle_around "$(readlink -m -- "$run_dir")")
if [[ -n $around ]]; then
  echo "submit.sh: the run directory $run_dir is inside the bundle $around, which nothing is written into; name another one" >&2
  exit 64
fi
log_dir=$PWD

# What would end at once is not queued: a run that has finished, or one of other values. Without Python here the job says so.
look() {
  local one
  for one in ${PYTHON:+"$PYTHON"} python3 python3; do
    if "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      "$one" -B "$bundle/runtime" look --bundle "$bundle" --run-dir "$run_dir"
      return
    fi
  done
}
if [[ -z $test_only && -e $run_dir/bundle ]]; then
  code=0
  said=$(look) || code=$?
  ((code != 65)) || exit 65
  if ((code == 0)) && [[ -n $said ]]; then
    echo "submit.sh: $said" >&2
    exit 0
  fi
fi

options=(--parsable)
[[ -z $test_only ]] || options=(--test-only)

# Machines that failed this run before, with those that the spec keeps away from anyway.
excluded=
if [[ -s $run_dir/excluded_nodes ]]; then
  excluded=$(paste -sd, -- "$run_dir/excluded_nodes")
  options+=("--exclude=$excluded")
  [[ -n $parsable ]] || echo "submit.sh: keeps away from $excluded, which failed this run ($run_dir/excluded_nodes)" >&2
fi

# What a job that this is called from was given is not for the next one.
if [[ -n ${SLURM_JOB_ID:-} ]]; then
  for name in "${!SLURM_@}" "${!SRUN_@}"; do
    [[ $name == SLURM_CONF ]] || unset "$name" || :
  done
fi
unset CFGC_CHAINED
export CFGC_RUN_DIR=$run_dir CFGC_BUNDLE=$bundle

# $1 as JSON.
json() {
  local text=$1 code char name two="\\\\" quote='\"'
  text=${text//\\/"$two"}
  text=${text//\"/"$quote"}
  if [[ $text == *[[:cntrl:]]* ]]; then
    for code in {1..31} 127; do
      printf -v name '\\u%04x' "$code"
      printf -v char '%b' "$name"
      text=${text//"$char"/"$name"}
    done
  fi
  printf '"%s"' "$text"
}

# One line of jobs.jsonl, in one write: job $1, as the words of ${command[@]} asked for it.
write_down() {
  local line word comma='' is_export=
  printf -v line '{"id": "%s", "at": %(%s)T, "log": %s, "command": [' \
    "$1" -1 "$(json "$log_dir/slurm-%x-%j.out")"
  for word in "${command[@]}"; do
    # What somebody gives to the job that way may be a secret.
    [[ $word != --export=* ]] || word='--export=...'
    [[ -z $is_export ]] || word=...
    is_export=
    [[ $word != --export ]] || is_export=1
    line+=$comma$(json "$word")
    comma=', '
  done
  printf '%s]}\n' "$line" >&"$record"
}

record=
if [[ -z $dry_run$test_only ]]; then
  mkdir -p -- "$run_dir" "$log_dir" || fail "the run directory or that of the log cannot be made" 73
  { exec {record}>>"$run_dir/jobs.jsonl"; } || fail "$run_dir/jobs.jsonl cannot be written" 73
  # A line that a crash cut off stays a line of its own.
  [[ -z $(tail -c 1 -- "$run_dir/jobs.jsonl") ]] || echo >&"$record"
fi

# One job.
answers=()
submit() {
  local said id answer
  command=(sbatch "${options[@]}" ${extra[@]+"${extra[@]}"} "$bundle/job.sbatch")
  if [[ -n $dry_run ]]; then
    printf 'CFGC_RUN_DIR=%q CFGC_BUNDLE=%q' "$run_dir" "$bundle"
    printf ' %q' "${command[@]}"
    echo
    return
  fi
  if [[ -n $test_only ]]; then
    "${command[@]}" || fail "Slurm would not take it" 69
    return
  fi
  # sbatch says the id at once, and with --wait ends with the job: the job is written down before, and what comes after it.
  exec {answer}< <(
    ended=0
    "${command[@]}" || ended=$?
    echo "=$ended"
  )
  answers+=("$answer")
  IFS= read -r said <&"$answer" || :
  id=${said%%;*}
  if [[ ! $id =~ ^[0-9]+$ && -n $excluded ]]; then
    echo "submit.sh: it keeps away from $excluded; remove $run_dir/excluded_nodes if that leaves too few machines" >&2
  fi
  [[ $id =~ ^[0-9]+$ ]] || fail "Slurm did not take it" 69
  write_down "$id" || echo "submit.sh: job $id is not written down in $run_dir/jobs.jsonl" >&2
  ids+=("$id")
  [[ -z $parsable ]] || echo "$id"
  tell "submitted job $id"
}

ids=()
if [[ -n $record ]] && command -v squeue >/dev/null; then
  last=$(tail -n 1 -- "$run_dir/jobs.jsonl")
  if [[ $last =~ ^\{\"id\":\ \"([0-9]+)\" ]]; then
    state=$(squeue --noheader --jobs="${BASH_REMATCH[1]}" --format=%T 2>/dev/null) || state=
    [[ -z $state ]] || echo "submit.sh: note: job ${BASH_REMATCH[1]} of this run is $state; two cannot run at once" >&2
  fi
fi
submit

if ((${#ids[@]})); then
  tell "run directory: $run_dir"
  tell "watch it: squeue --jobs=$(IFS=, && echo "${ids[*]}")"
  tell "logs are in $log_dir and, of each rank, below $run_dir; with cfgc: cfgc runs DIR, cfgc logs DIR"
fi
# An exit code is sbatch's own once it has submitted (--wait).
code=0
for answer in ${answers[@]+"${answers[@]}"}; do
  ended=69 # nobody was left to say it
  [[ ! $(cat <&"$answer") =~ =([0-9]+)$ ]] || ended=${BASH_REMATCH[1]}
  ((ended <= code)) || code=$ended
done
exit "$code"
