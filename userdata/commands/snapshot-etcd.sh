#!/usr/bin/env bash
#
# Takes a snapshot of etcd, checks it, and puts it into the bucket together with the sealed authorities and encryption key: the
# set is all that is needed to rebuild the cluster on blank volumes. S3 compares each object with its digest; the manifest comes
# last, so a set that has one is whole.
#
#   --reason WHY   sleep, schedule or manual
#
# Before a sleep etcd is defragmented as well, so that it wakes with room: nobody waits for it then. A full etcd gives its snapshot all the same;
# if it stays full, that is an error, since nothing could wake on it.
#
# Result: {ok, key, bytes, sha256, revision, at}. Errors: BadArguments, DiskFull, EtcdNotHealthy, EtcdNoSpace, SnapshotBroken,
# SnapshotNotStored, SnapshotKeyMissing, SnapshotUnderWay.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/etcd.sh
source "${HERE}/../lib/etcd.sh"
# shellcheck source=../lib/authorities.sh
source "${HERE}/../lib/authorities.sh"
# shellcheck source=../lib/metrics.sh
source "${HERE}/../lib/metrics.sh"

# The workflow lets it run for 300 s, and the bucket wants its share of them.
readonly PATIENCE_SECONDS=180
# How long another snapshot may take to end.
readonly TURN_SECONDS=45
# How long one member may take to be defragmented: some 100 MB a second on a disk like a seat's, of which 4 GiB are the most.
readonly DEFRAGMENT_SECONDS=60

main() {
  command_begin snapshot-etcd 'reason=sleep|schedule|manual' -- "$@"
  take_turn
  local at seconds=${EPOCHSECONDS} folder=${DROWSE_VAR}/snapshot prefix bytes sha256 revision etcd name
  at=$(utc_now)
  prefix=snapshots/${at//:/-}-${OPTIONS[reason]}
  rm -rf "${folder}"
  mkdir -p "${folder}"
  find_quorum "${NODE[seat.fixedIp]}" || fatal etcd-not-healthy 'etcd has no quorum'
  save_snapshot "${folder}/etcd.db"
  revision=$(jq .revision "${folder}/status.json")
  bytes=$(stat --format %s "${folder}/etcd.db")
  fetch_snapshot_key
  seal "${AUTHORITIES}" "${folder}/authorities.age"
  sha256=$(sha256sum "${folder}/etcd.db")
  sha256=${sha256%% *}
  etcd=$(etcd_version)
  write_file "${folder}/manifest.json" 600 <<JSON
{"schema":1,"cluster":"${NODE[cluster]}","at":"${at}","reason":"${OPTIONS[reason]}","sha256":"${sha256}",
"bytes":${bytes},"revision":${revision},"kubernetes":"${NODE[kubernetes.version]}","etcd":"${etcd}"}
JSON
  for name in etcd.db authorities.age manifest.json; do
    store "${folder}/${name}" "${prefix}/${name}"
  done
  rm -rf "${folder}"
  tell_prometheus "${seconds}" "${bytes}"
  [[ ${OPTIONS[reason]} != sleep ]] || make_room
  printf '{"ok":true,"key":"%s","bytes":%s,"sha256":"%s","revision":%s,"at":"%s"}\n' \
    "${prefix}/etcd.db" "${bytes}" "${sha256}" "${revision}" "${at}" >&3
}

# take_turn: a sleep's snapshot may be asked for while a scheduled one is being taken, and both work in one folder.
take_turn() {
  local turn
  exec {turn}>"${DROWSE_RUN}/snapshot-etcd.lock"
  flock --wait "${TURN_SECONDS}" "${turn}" || fatal snapshot-under-way 'another snapshot is being taken, and does not end'
}

# save_snapshot <file>: from this seat's member; etcdutl then reads the whole file and its built-in digest.
save_snapshot() {
  local free size
  free_bytes free "${1%/*}"
  whole_number size "$(stat --format %s "${STATE}/etcd/member/snap/db")"
  ((free > size + (64 << 20))) || fatal disk-full 'the root disk has no room for the snapshot'
  etcdctl --endpoints "${QUORUM_ENDPOINT}" --command-timeout "${PATIENCE_SECONDS}s" snapshot save "$1" >&2 ||
    fatal etcd-not-healthy 'etcd gives no snapshot'
  etcdutl --write-out json snapshot status "$1" >"${1%/*}/status.json" || fatal snapshot-broken 'the snapshot does not pass its own check'
}

# make_room: what is not given back stays as it was, and is no reason to stay awake unless etcd is full.
make_room() {
  defragment "${DEFRAGMENT_SECONDS}" || warn 'etcd could not be defragmented'
  ! alarm_is_raised NOSPACE || fatal etcd-no-space 'etcd is full, and stays so when it is defragmented'
}

# tell_prometheus <epoch seconds> <bytes>: the rule BackupOld (platform/configs/observability) goes by it.
tell_prometheus() {
  write_metrics "snapshot-${OPTIONS[reason]}" <<PROM
# HELP drowse_etcd_snapshot_timestamp_seconds When the last checked snapshot was taken, by the reason for it.
# TYPE drowse_etcd_snapshot_timestamp_seconds gauge
drowse_etcd_snapshot_timestamp_seconds{reason="${OPTIONS[reason]}"} $1
# HELP drowse_etcd_snapshot_bytes Size of the last checked snapshot, by the reason for it.
# TYPE drowse_etcd_snapshot_bytes gauge
drowse_etcd_snapshot_bytes{reason="${OPTIONS[reason]}"} $2
PROM
}

store() {
  local digest
  digest=$(openssl dgst -sha256 -binary "$1" | base64 --wrap 0)
  s3_put "$1" "$2" --header "x-amz-checksum-sha256: ${digest}" || fatal snapshot-not-stored "the bucket does not take $2 (${AWS_ERROR})"
}

main "$@"
