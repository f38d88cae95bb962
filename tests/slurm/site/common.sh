# Shared by up and down. A cluster is a directory: everything that it has, and every process that it started, is named
# below it. A process is known by its number and its start time, so that a number used again is never taken for it.
# shellcheck shell=bash

export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin # not the caller's, which may name another cluster's commands
unset SLURM_CONF

CANNOT=77 # this machine cannot have a cluster, which is no fault of the project

say() { echo "slurm: $*" >&2; }

refuse() {
  say "$*"
  exit "$CANNOT"
}

fail() {
  say "$*"
  exit 1
}

# poll SECONDS COMMAND...: until COMMAND succeeds; 1 when it does not in time
poll() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# state_and_start PID: what the kernel says of a process, as "state starttime"
state_and_start() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${line##*) }" # the program's name may hold anything, a bracket too
  echo "${fields[0]} ${fields[19]}"
}

# remember NAME PID
remember() {
  local found
  found=$(state_and_start "$2") || fail "$1 ended at once: $(tail -n 5 "$DIR/log/$1.out")"
  echo "$2 ${found#* }" >"$DIR/pid/$1"
}

# alive FILE: whether the process that FILE remembers still runs
alive() {
  local pid start found
  read -r pid start 2>/dev/null <"$1" || return 1
  found=$(state_and_start "$pid") || return 1
  [[ $found != Z* && ${found#* } == "$start" ]]
}

pid_of() {
  local pid
  read -r pid _ <"$DIR/pid/$1"
  echo "$pid"
}

namespaces() { ip netns list 2>/dev/null | awk -v prefix="$SPACE-" 'index($1, prefix) == 1 { print $1 }'; }
