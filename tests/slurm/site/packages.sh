# Debian's packages of Slurm; installed when they are missing, and their services kept from starting.
# shellcheck shell=bash

PACKAGES=(slurmctld slurmd slurm-client munge iproute2 util-linux procps)

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

install_packages() {
  local missing log=$DIR/log/packages.out policy=/usr/sbin/policy-rc.d own=
  command -v dpkg-query >/dev/null || refuse "this machine has no Debian packages"
  exec 8>/tmp/cfgc-slurm-packages.lock
  flock 8 # two clusters that start at once
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]})); then
    say "installing ${missing[*]}"
    if [[ ! -e $policy ]]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
      own=1
    fi
    apt_install "${missing[@]}" >"$log" 2>&1 || { apt-get update && apt_install "${missing[@]}"; } >"$log" 2>&1 || :
    [[ -z $own ]] || rm -f "$policy"
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) || refuse "these packages cannot be installed: ${missing[*]} ($(tail -n 1 "$log"))"
  fi
  exec 8>&-
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }
