# shellcheck shell=bash
#
# The cluster of etcd members, one per seat, seen through etcdctl with this seat's own client certificate. Sourced.

export ETCDCTL_CACERT=${PKI}/etcd/ca.crt
export ETCDCTL_CERT=${PKI}/etcd/healthcheck-client.crt
export ETCDCTL_KEY=${PKI}/etcd/healthcheck-client.key

# etcd_version: of the tools, which are those of the image that etcd runs from.
etcd_version() {
  local words
  read -r _ _ words < <(etcdctl version)
  printf '%s' "${words}"
}

# other_seats: the fixed addresses of all seats but this one, as the global array OTHERS.
other_seats() {
  local address
  OTHERS=()
  list_of NODE endpoint.seats
  for address in "${LIST[@]}"; do
    [[ ${address} == "${NODE[seat.fixedIp]}" ]] || OTHERS+=("${address}")
  done
}

# find_quorum <addresses…>: an endpoint that answers a linearizable read, which proves a quorum, as the global QUORUM_ENDPOINT. Not its
# health: that is false while an alarm is raised, too.
find_quorum() {
  local address
  QUORUM_ENDPOINT=''
  for address in "$@"; do
    if etcdctl --endpoints "https://${address}:2379" --command-timeout 5s get --consistency l --keys-only drowse >/dev/null 2>&1; then
      QUORUM_ENDPOINT=https://${address}:2379
      return 0
    fi
  done
  return 1
}

# remove_members <predicate>: asks the quorum for its members and removes those that the predicate names; it is called with
# ID, name and peer URL. IDs are hexadecimal here; in etcdctl's JSON they lose digits.
remove_members() {
  local predicate=$1 rows id status name peer
  rows=$(etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout 10s --write-out simple member list) || return 1
  while IFS=, read -r id status name peer _; do
    [[ -n ${id} ]] || continue
    "${predicate}" "${id}" "${name# }" "${peer# }" || continue
    info "removing etcd member ${id} (${name# }, ${peer# }, ${status# })"
    etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout 10s member remove "${id}" >&2 || return 1
  done <<<"${rows}"
}

# member_is_this_seat: what a lost volume leaves behind. It keeps the address that its successor needs.
member_is_this_seat() { [[ $3 == "https://${NODE[seat.fixedIp]}:2380" ]]; }

# member_is_no_seat: a member at an address that no seat has.
member_is_no_seat() {
  local address
  list_of NODE endpoint.seats
  for address in "${LIST[@]}"; do
    [[ $3 != "https://${address}:2380" ]] || return 1
  done
}

# alarm_is_raised <name>: whether one of the members has raised it.
alarm_is_raised() {
  local alarms
  alarms=$(etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout 10s alarm list) || return 1
  [[ ${alarms} == *"alarm:$1"* ]]
}

# defragment <seconds>: gives the space of deleted and compacted keys back, one member after the other. Where that made room again, the
# alarm that stopped all writes goes, too; a member that finds no room raises it anew.
defragment() {
  etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout "$1s" defrag --cluster >&2 || return 1
  ! alarm_is_raised NOSPACE || etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout 10s alarm disarm >&2
}
