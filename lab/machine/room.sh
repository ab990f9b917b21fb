#!/usr/bin/env bash
#
# The room in which all machines of a lab run: PID 1 of its own PID namespace, with a network and a mount namespace of its own.
# Ends with its standard input. The kernel then kills every process in the room, and with them go their mounts, their networks
# and their loop devices: nothing is left of a lab whose owner was killed.
#
#   unshare --pid --fork --kill-child --mount --net room.sh NETWORK ADDRESS/PREFIX…
#
#   NETWORK    addresses of the VPC, whose instances are all on one bridge
#   ADDRESS    each address that the bridge has: routers, resolver, metadata service
#
# Prints "ready PID" (the room's process ID outside) once the bridge is up.
set -o errexit -o nounset -o pipefail

main() {
  local network=$1 address pid
  ip link set lo up
  # With an address of its own: else a bridge takes the lowest of what is plugged in, and whenever a machine comes or goes, the
  # others send to one that nobody has any more until their neighbours' entries run out (half a minute and more).
  ip link add lab0 address 02:00:00:00:00:01 type bridge
  for address in "${@:2}"; do
    ip address add "${address}" dev lab0
  done
  ip link set lab0 up
  ip route replace "${network}" dev lab0
  # The bridge is the VPC's wire and its routers; packet filters of the machine around are none of its business.
  set_if_there net/bridge/bridge-nf-call-iptables 0
  set_if_there net/bridge/bridge-nf-call-ip6tables 0
  set_if_there net/ipv4/ip_forward 1
  # This /proc is the outer one, so this is our ID out there.
  read -r pid _ </proc/self/stat
  printf 'ready %s\n' "${pid}"
  while read -r _; do :; done
}

set_if_there() {
  [[ ! -e /proc/sys/$1 ]] || printf '%s' "$2" >"/proc/sys/$1"
}

main "$@"
