#!/usr/bin/env bash
#
# Starts one machine in the room: a control group, namespaces of its own, then container.sh as its PID 1. Returns when the
# machine ends: killed by SIGHUP if it wants to boot again, by SIGINT if it switched itself off (reboot(2) in a PID namespace).
#
#   start.sh ROOM FOLDER ID
#
#   ROOM    process ID of the room
#   FOLDER  the machine's own (see container.sh)
#   ID      instance ID; also the name of its control group
set -o errexit -o nounset -o pipefail

readonly GROUPS_ROOT=/sys/fs/cgroup
readonly PARENT=drowse-lab
# All machines together are one group beside the groups that the host's sessions are, and would get as little as one of them: on a busy
# host control planes then lose their leases. So many times as much they get instead.
readonly WEIGHT=8
HERE=$(dirname "$(readlink -f "$0")")
readonly HERE

main() {
  local room=$1 folder=$2 id=$3
  if [[ -e ${GROUPS_ROOT}/cgroup.controllers ]]; then
    join_unified_group "${id}"
  else
    join_legacy_groups "${id}"
  fi
  exec nsenter --target "${room}" --mount --net --pid -- \
    unshare --mount --net --uts --ipc --pid --cgroup --fork --kill-child \
    bash "${HERE}/container.sh" "${room}" "${folder}"
}

join_unified_group() {
  local controllers
  controllers=$(<"${GROUPS_ROOT}/cgroup.controllers")
  mkdir -p "${GROUPS_ROOT}/${PARENT}/$1"
  printf '+%s\n' "${controllers// / +}" >"${GROUPS_ROOT}/${PARENT}/cgroup.subtree_control"
  [[ ! -e ${GROUPS_ROOT}/${PARENT}/cpu.weight ]] || printf '%s\n' $((WEIGHT * 100)) >"${GROUPS_ROOT}/${PARENT}/cpu.weight"
  printf '%s\n' "${BASHPID}" >"${GROUPS_ROOT}/${PARENT}/$1/cgroup.procs"
}

# Version 1, or both side by side: a group in each hierarchy that is mounted.
join_legacy_groups() {
  local hierarchy group
  for hierarchy in "${GROUPS_ROOT}"/*/; do
    [[ -e ${hierarchy}cgroup.procs ]] || continue
    group=${hierarchy}${PARENT}
    mkdir -p "${group}"
    # A group of CPUs is empty until somebody says which.
    [[ ! -e ${group}/cpuset.cpus ]] || copy_cpus "${hierarchy%/}" "${group}"
    [[ ! -e ${group}/cpu.shares ]] || printf '%s\n' $((WEIGHT * 1024)) >"${group}/cpu.shares"
    mkdir -p "${group}/$1"
    [[ ! -e ${group}/cpuset.cpus ]] || copy_cpus "${group}" "${group}/$1"
    printf '%s\n' "${BASHPID}" >"${group}/$1/cgroup.procs"
  done
}
copy_cpus() {
  cat "$1/cpuset.cpus" >"$2/cpuset.cpus"
  cat "$1/cpuset.mems" >"$2/cpuset.mems"
}

main "$@"
