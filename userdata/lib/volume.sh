# shellcheck shell=bash
#
# The seat's state volume: found by its tags, attached, checked, mounted. A file system is made only on a volume that was
# never written to; whatever else is on it is refused, never touched. Sourced.
#
# Sets: VOLUME         volume.json at the top of the volume: cluster, seat, stage, and what ran on it: kubernetes, etcd, podCidr, serviceCidr,
#                      seats
#       VOLUME_DEVICE  its block device

declare -gA VOLUME=()
VOLUME_DEVICE=''
volume_id=''
volume_state=''
volume_zone=''
volume_holder=''
seat_volumes=()
recorded_volume=''

# attach_state_volume: waits for the old holder to let go; two instances can never hold it, so holding it is what makes this
# instance the seat.
attach_state_volume() {
  wait_until 'the state volume' volume-held 600 5 volume_is_ours
  # The NVMe driver names the device after the volume, without its dash.
  VOLUME_DEVICE=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume_id/-/}
  wait_until "device of ${volume_id}" volume-not-attached 120 2 test -b "${VOLUME_DEVICE}"
}

# volume_is_ours: looks who holds it, and attaches it if nobody does. What EC2 answers to that is not the last word: an answer that
# got lost is asked for again, and then the volume is in use, by us.
volume_is_ours() {
  WAIT_REASON=''
  find_state_volume || return 1
  [[ ${volume_holder} != "${FACTS[instanceId]}" ]] || return 0
  if [[ ${volume_state} != available ]]; then
    info "volume ${volume_id} is ${volume_state}, held by ${volume_holder:-nobody}"
    return 1
  fi
  aws_ec2 AttachVolume "VolumeId=${volume_id}" "InstanceId=${FACTS[instanceId]}" Device=/dev/sdf && return 0
  info "EC2 does not attach ${volume_id} (${AWS_ERROR})"
  WAIT_REASON=volume-not-attached
  return 1
}

# find_state_volume: exactly one volume of this cluster, seat and zone. A second one with the same tags, made from a snapshot perhaps,
# keeps no cluster from waking: which one the deployment made is on record, where no seat can write.
find_state_volume() {
  recorded_volume=''
  look_for_volumes || return 1
  if ((${#seat_volumes[@]} > 1)); then
    read_recorded_volume
    look_for_volumes || return 1
  fi
  [[ -n ${volume_id} ]] || fatal volume-missing "no volume is tagged as seat ${NODE[seat.index]} of ${NODE[cluster]}"
  [[ ${volume_zone} == "${FACTS[availabilityZone]}" ]] ||
    fatal volume-missing "volume ${volume_id} is in ${volume_zone}, this instance in ${FACTS[availabilityZone]}"
}

# read_recorded_volume: one of those that carry the tags, or nobody can say which is the seat's.
read_recorded_volume() {
  local several="${seat_volumes[*]} are all tagged as seat ${NODE[seat.index]} of ${NODE[cluster]}"
  parameter_get "volume/${NODE[seat.index]}" "${SCRATCH}/volume" ||
    fatal volume-ambiguous "${several}, and which one a deployment made is not on record (${AWS_ERROR})"
  IFS= read -r recorded_volume <"${SCRATCH}/volume" || true
  [[ " ${seat_volumes[*]} " == *" ${recorded_volume:-none} "* ]] ||
    fatal volume-ambiguous "${several}; the one on record, $(quoted "${recorded_volume}"), is none of them"
  warn "${several}; a deployment made ${recorded_volume}, and that one is taken"
}

# look_for_volumes: tags are compared here as well: a filter that an endpoint does not know must not make a foreign volume ours.
look_for_volumes() {
  volume_id=''
  seat_volumes=()
  aws_ec2 DescribeVolumes 'Filter.1.Name=tag:drowse:cluster' "Filter.1.Value.1=${NODE[cluster]}" \
    'Filter.2.Name=tag:drowse:seat' "Filter.2.Value.1=${NODE[seat.index]}" ||
    fatal volume-missing "EC2 does not describe the state volume (${AWS_ERROR})"
  aws_ec2_each note_volume volumeSet volumeId status availabilityZone attachmentSet.instanceId tag:drowse:cluster tag:drowse:seat
}

# note_volume <ID> <status> <zone> <holder> <cluster> <seat>
note_volume() {
  [[ $5 == "${NODE[cluster]}" && $6 == "${NODE[seat.index]}" ]] || return 0
  seat_volumes+=("$1")
  [[ -z ${recorded_volume} || $1 == "${recorded_volume}" ]] || return 0
  volume_id=$1 volume_state=$2 volume_zone=$3 volume_holder=$4
}

# mount_state_volume: after this the volume is ours by what is written on it, too, and VOLUME says how far it has come.
mount_state_volume() {
  mkdir -p "${STATE}"
  if ! mountpoint --quiet "${STATE}"; then
    local content
    content=$(volume_content)
    case ${content} in
      blank) make_file_system ;;
      ext4)
        # Whatever was cut off once has come to its end: never take this volume for blank again.
        rm -f "${DROWSE_VAR}/making-file-system-on-${volume_id}"
        check_file_system
        ;;
      *) fatal volume-damaged "${VOLUME_DEVICE} carries data, but no file system that can be read" ;;
    esac
    mount --types ext4 --options noatime,nodev,nosuid "${VOLUME_DEVICE}" "${STATE}" ||
      fatal volume-damaged "${VOLUME_DEVICE} cannot be mounted"
  fi
  claim_state_volume
  grow_file_system
}

# volume_content: `blank` only if nothing was ever written where file systems keep their heads and their copies of them.
volume_content() {
  local type='' code=0 mark=${DROWSE_VAR}/making-file-system-on-${volume_id}
  type=$(blkid --probe --match-tag TYPE --output value "${VOLUME_DEVICE}") || code=$?
  if ((code == 0)) && [[ -n ${type} ]]; then
    printf '%s' "${type}"
  elif [[ -e ${mark} ]]; then
    # This very instance saw it blank, and was cut off while it made the file system.
    printf blank
  elif device_is_zero; then
    printf blank
  else
    printf damaged
  fi
}

# device_is_zero: the first 16 MiB, and 1 MiB at each place where ext4 keeps copies of its superblock.
device_is_zero() {
  local size offset
  whole_number size "$(blockdev --getsize64 "${VOLUME_DEVICE}")" || return 1
  cmp --quiet --bytes=$((16 << 20)) "${VOLUME_DEVICE}" /dev/zero || return 1
  for offset in $((128 << 20)) $((384 << 20)) $((640 << 20)) $((896 << 20)) $((size - (1 << 20))); do
    ((offset + (1 << 20) <= size)) || continue
    cmp --quiet --ignore-initial=${offset}:0 --bytes=$((1 << 20)) "${VOLUME_DEVICE}" /dev/zero || return 1
  done
}

make_file_system() {
  local mark=${DROWSE_VAR}/making-file-system-on-${volume_id}
  refuse_read_only
  info "making a file system on ${volume_id}, which was never used"
  : >"${mark}"
  mkfs.ext4 -q -F -m 0 -L "drowse-seat-${NODE[seat.index]}" "${VOLUME_DEVICE}" ||
    fatal volume-damaged "no file system can be made on ${VOLUME_DEVICE}"
  sync --file-system "${VOLUME_DEVICE}"
  rm -f "${mark}"
}

check_file_system() {
  local code=0
  refuse_read_only
  # Replays the journal and mends what needs no decision; 1 means mended, anything above needs a person.
  e2fsck -p "${VOLUME_DEVICE}" >&2 || code=$?
  ((code <= 1)) || fatal volume-damaged "e2fsck ends with ${code} on ${VOLUME_DEVICE}"
}

# grow_file_system: to the size of the volume, which may be larger since the last boot; mounted, and safe to be cut off. Where there is nothing
# to grow it only says so. Less room than there could be is no reason to fail.
grow_file_system() {
  resize2fs "${VOLUME_DEVICE}" >&2 || warn "the file system does not grow to the size of ${volume_id}"
}

refuse_read_only() {
  [[ $(blockdev --getro "${VOLUME_DEVICE}") == 0 ]] || fatal volume-read-only "${VOLUME_DEVICE} is read-only"
}

# claim_state_volume: reads volume.json; an empty file system gets one, a foreign one is refused.
claim_state_volume() {
  local entries entry
  shopt -s nullglob dotglob
  entries=("${STATE}"/*)
  shopt -u nullglob dotglob
  if [[ -e ${STATE}/volume.json ]]; then
    load_flat VOLUME "${STATE}/volume.json"
    [[ ${VOLUME[cluster]} == "${NODE[cluster]}" && ${VOLUME[seat]} == "${NODE[seat.index]}" ]] ||
      fatal volume-foreign "the volume belongs to seat ${VOLUME[seat]} of ${VOLUME[cluster]}"
    return 0
  fi
  for entry in "${entries[@]}"; do
    [[ ${entry##*/} == lost+found || ${entry##*/} == volume.json.new ]] ||
      fatal volume-foreign "the volume carries ${entry##*/}, but nothing that says it is this cluster's"
  done
  VOLUME=([cluster]=${NODE[cluster]} [seat]=${NODE[seat.index]} [kubernetes]='' [etcd]='')
  set_volume_stage new
}

# set_volume_stage <new|initialising|joining|restoring|restored|ready>: how far the state on the volume has come; survives the power going out.
set_volume_stage() {
  VOLUME[stage]=$1
  write_file "${STATE}/volume.json" 600 <<JSON
{"cluster":"${VOLUME[cluster]}","seat":${VOLUME[seat]},"stage":"$1","kubernetes":"${VOLUME[kubernetes]}","etcd":"${VOLUME[etcd]}",
"podCidr":"${VOLUME[podCidr]:-}","serviceCidr":"${VOLUME[serviceCidr]:-}","seats":"${VOLUME[seats]:-}"}
JSON
  sync --file-system "${STATE}" || fatal disk-full 'the state volume takes no more data'
}

# require_space: etcd on a full disk stops half-way; better not to start it.
require_space() {
  local free
  free_bytes free "${STATE}"
  ((free >= 256 << 20)) || fatal disk-full 'less than 256 MiB are free on the state volume'
}
