#!/usr/bin/env bash
#
# Rebuilds a seat's blank volume from a snapshot set in the bucket, and starts the seat. The other seats, if there are any, then
# join it as if their volumes had been lost. A volume that has etcd data is refused, and so is a cluster that has a quorum.
#
#   --key KEY          the snapshot's key, snapshots/…/etcd.db
#   --dry-run WHETHER  true: download, unseal, check and rebuild beside the volume, change nothing
#
# Result: {ok, key, revision, at, dryRun}; `at` and `revision` are the snapshot's. Errors: BadArguments, SnapshotMissing,
# SnapshotForeign, SnapshotBroken, SnapshotKeyMissing, SnapshotKeyWrong, EtcdNewer, VolumeNotMounted, VolumeNotBlank, QuorumExists,
# AuthoritiesDiffer, AuthoritiesIncomplete, DiskFull, SeatNotReady.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/etcd.sh
source "${HERE}/../lib/etcd.sh"
# shellcheck source=../lib/authorities.sh
source "${HERE}/../lib/authorities.sh"
# shellcheck source=../lib/kubernetes.sh
source "${HERE}/../lib/kubernetes.sh"
# shellcheck source=../lib/volume.sh
source "${HERE}/../lib/volume.sh"

# A restored revision must be beyond everything that a watcher ever saw, or it would miss changes for ever.
readonly REVISION_BUMP=1000000000

declare -A MANIFEST=()
# Every field of a manifest, and the form that it must have: a bucket is no reason to believe it. The steps check by the same file.
declare -A FORMS=()
load_flat FORMS "${HERE}/../snapshot-manifest.json"
readonly FORMS
# A manifest is a few hundred bytes.
readonly MANIFEST_LIMIT=4096

main() {
  command_begin restore-etcd 'key=snapshots/[A-Za-z0-9._/-]+/etcd\.db' 'dry-run=true|false' -- "$@"
  local set=${DROWSE_VAR}/restore target=${STATE}/etcd.new dry=${OPTIONS["dry-run"]}
  [[ ${dry} == false ]] || target=${set}/data
  # It holds authorities in the clear.
  DISK_SCRATCH=${set}
  rm -rf "${set}" "${target}"
  mkdir -p "${set}"
  fetch_set "${OPTIONS[key]%/etcd.db}" "${set}"
  [[ ${dry} == true ]] || require_blank_volume
  # An earlier run may have come as far as the data; a seat may run on it by now.
  if [[ ${dry} == true || ${VOLUME[stage]} != restored ]]; then
    restore_data "${set}/etcd.db" "${target}"
    [[ ${dry} == true ]] || adopt "${set}" "${target}"
  fi
  [[ ${dry} == true ]] || start_seat
  printf '{"ok":true,"key":"%s","revision":%s,"at":"%s","dryRun":%s}\n' \
    "${OPTIONS[key]}" "${MANIFEST[revision]}" "${MANIFEST[at]}" "${dry}" >&3
}

# fetch_set <prefix> <folder>: downloads and checks everything before anything is changed.
fetch_set() {
  local name
  for name in manifest.json etcd.db authorities.age; do
    s3_get "$1/${name}" "$2/${name}" || fatal snapshot-missing "the bucket has no $1/${name} (${AWS_ERROR})"
  done
  check_manifest "$2/manifest.json"
  sha256sum --check --quiet <<<"${MANIFEST[sha256]}  $2/etcd.db" || fatal snapshot-broken 'the snapshot does not have its digest'
  etcdutl --write-out json snapshot status "$2/etcd.db" >&2 || fatal snapshot-broken 'the snapshot does not pass its own check'
  local etcd
  etcd=$(etcd_version)
  ! minor_newer "${MANIFEST[etcd]}" "${etcd}" || fatal etcd-newer "the snapshot is of etcd ${MANIFEST[etcd]}, this node has ${etcd}"
  fetch_snapshot_key
  unseal "$2/authorities.age" "$2/authorities"
  (cd "$2/authorities" && sha256sum --check --quiet --strict digests) || fatal authorities-incomplete 'the sealed authorities are not complete'
}

# check_manifest <file>: before anything of it is used.
check_manifest() {
  local field value size
  whole_number size "$(stat --format %s "$1")"
  ((size <= MANIFEST_LIMIT)) || fatal snapshot-broken "manifest.json has ${size} bytes, which none has"
  load_flat MANIFEST "$1"
  for field in "${!FORMS[@]}"; do
    value=${MANIFEST[${field}]-}
    [[ ${value} =~ ^(${FORMS[${field}]})$ ]] || fatal snapshot-broken "manifest.json: ${field} is $(quoted "${value}"), which is not of its form"
  done
  for field in "${!MANIFEST[@]}"; do
    [[ -n ${FORMS[${field}]-} ]] || fatal snapshot-broken "manifest.json: $(quoted "${field}") is no field of a manifest"
  done
  [[ ${MANIFEST[cluster]-} == "${NODE[cluster]}" ]] || fatal snapshot-foreign "the snapshot is of the cluster $(quoted "${MANIFEST[cluster]-}")"
}

require_blank_volume() {
  mountpoint --quiet "${STATE}" || fatal volume-not-mounted 'the state volume is not mounted: the node scripts must have got as far as failed:state-lost'
  claim_state_volume
  [[ ! -d ${STATE}/etcd/member || ${VOLUME[stage]} == @(restoring|restored) ]] ||
    fatal volume-not-blank 'the volume has etcd data; a restore never overwrites any'
  [[ ! -d ${AUTHORITIES} ]] || cmp --quiet "${AUTHORITIES}/digests" "${DROWSE_VAR}/restore/authorities/digests" ||
    fatal authorities-differ 'the volume has other authorities than the snapshot'
  other_seats
  # Without authorities of its own this seat cannot ask the others; then those of the set do.
  render "${DROWSE_ETC}" '{}'
  mkdir -p "${PKI}"
  cp --recursive "${DROWSE_VAR}/restore/authorities/." "${PKI}/"
  kubeadm init phase certs etcd-healthcheck-client --config "${DROWSE_ETC}/kubeadm-init.yaml" >&2
  ! find_quorum "${OTHERS[@]}" || fatal quorum-exists "the seats at ${QUORUM_ENDPOINT} have a quorum: this seat joins by itself"
}

restore_data() {
  etcdutl snapshot restore "$1" --data-dir "$2" --name "${FACTS[instanceId]}" \
    --initial-cluster "${FACTS[instanceId]}=https://${NODE[seat.fixedIp]}:2380" \
    --initial-advertise-peer-urls "https://${NODE[seat.fixedIp]}:2380" --initial-cluster-token "restored-${MANIFEST[at]}" \
    --bump-revision "${REVISION_BUMP}" --mark-compacted >&2 || fatal snapshot-broken 'etcdutl cannot rebuild data from the snapshot'
}

# adopt <set> <data>: authorities first, data last: a volume with data is a volume that is whole. Its stage says that the data
# is a restore's, so that a run that was cut off can be run again, whatever it left.
adopt() {
  if [[ ! -d ${AUTHORITIES} ]]; then
    rm -rf "${AUTHORITIES}.new"
    cp --recursive "$1/authorities" "${AUTHORITIES}.new"
    keep_authorities "${AUTHORITIES}.new"
  fi
  set_volume_stage restoring
  rm -rf "${STATE}/etcd"
  sync --file-system "${STATE}"
  mv -T "$2" "${STATE}/etcd"
  VOLUME[kubernetes]=${MANIFEST[kubernetes]}
  VOLUME[etcd]=${MANIFEST[etcd]}
  set_volume_stage restored
}

start_seat() {
  systemctl restart drowse-node.service || fatal seat-not-ready 'the seat does not come up on the restored data; see its phase'
  # Addresses of API servers that are gone; each living one writes its own again within seconds.
  etcdctl --endpoints "https://${NODE[seat.fixedIp]}:2379" del --prefix /registry/masterleases/ >&2 || warn 'old master leases stay'
}

main "$@"
