# shellcheck shell=bash
#
# Who this instance is, and how far it has come. Sourced.
#
# Sets: NODE   the node data document, flattened (see lib/node/node-data.ts for each field)
#       FACTS  what only the instance knows: instanceId, arn, instanceType, availabilityZone, privateIp, mac, interfaceId,
#              subnetId, cpus, memoryMiB

declare -gA NODE=() FACTS=()
readonly CONSOLE=/dev/console

load_node_data() {
  load_map NODE "${DROWSE_ETC}/node.json"
  [[ ${NODE[schema]:-} == 1 ]] || fatal bad-document "node data has schema '${NODE[schema]:-none}', these scripts know 1"
}

# load_facts: asks the metadata service once per boot; later scripts read the file.
load_facts() {
  local file=${DROWSE_RUN}/facts.json key value kibibytes memory=0 cpus=0
  if [[ ! -e ${file} ]]; then
    imds_login
    wait_until 'the facts of this instance' metadata-unreachable "${IMDS_SECONDS}" 5 imds_gives_facts
    while IFS=': ' read -r key value _; do
      [[ ${key} == MemTotal ]] || continue
      whole_number kibibytes "${value}"
      memory=$((kibibytes / 1024))
    done </proc/meminfo
    while IFS=$' \t:' read -r key _; do
      [[ ${key} != processor ]] || cpus=$((cpus + 1))
    done </proc/cpuinfo
    write_file "${SCRATCH}/facts.json" 600 <<JSON
{"instanceId":"${FACTS[instanceId]}","arn":"${FACTS[arn]}","instanceType":"${FACTS[instanceType]}","availabilityZone":"${FACTS[availabilityZone]}",
"privateIp":"${FACTS[privateIp]}","mac":"${FACTS[mac]}","interfaceId":"${FACTS[interfaceId]}","subnetId":"${FACTS[subnetId]}","cpus":${cpus},"memoryMiB":${memory}}
JSON
    mv -f "${SCRATCH}/facts.json" "${file}"
  fi
  load_flat FACTS "${file}"
}
imds_gives_facts() {
  local name value interface region account
  imds dynamic/instance-identity/document meta-data/mac meta-data/services/partition || return 1
  for name in instanceId instanceType availabilityZone privateIp; do
    json_string value "${IMDS_ANSWERS[0]}" "${name}" || return 1
    FACTS[${name}]=${value}
  done
  json_string region "${IMDS_ANSWERS[0]}" region && json_string account "${IMDS_ANSWERS[0]}" accountId || return 1
  FACTS[arn]=arn:${IMDS_ANSWERS[2]}:ec2:${region}:${account}:instance/${FACTS[instanceId]}
  FACTS[mac]=${IMDS_ANSWERS[1]}
  interface=meta-data/network/interfaces/macs/${FACTS[mac]}
  imds "${interface}/interface-id" "${interface}/subnet-id" || return 1
  FACTS[interfaceId]=${IMDS_ANSWERS[0]}
  FACTS[subnetId]=${IMDS_ANSWERS[1]}
}

# phase <name>: tags this instance with how far it has come, and when. The workflows and the console read it there.
phase() {
  info "phase $1"
  aws_ec2 CreateTags "ResourceId.1=${FACTS[instanceId]}" 'Tag.1.Key=drowse:phase' "Tag.1.Value=$1" \
    'Tag.2.Key=drowse:phase-at' "Tag.2.Value=$(printf '%(%Y-%m-%dT%H:%M:%SZ)T' -1)" ||
    fatal phase-not-tagged "the instance may not tag itself (${AWS_ERROR})"
  printf '%s\n' "$1" >"${DROWSE_RUN}/phase"
}

# check_clock: a signature of a clock that is more than five minutes off is refused by AWS, and certificates are judged by
# the clock. The bucket's own answer (whatever it is) says what time it is.
check_clock() {
  clock_is_right || wait_until 'the clock to be set' clock-skew 60 10 clock_after_step
}
clock_after_step() {
  chronyc -a makestep >/dev/null 2>&1 || warn 'chrony cannot step the clock'
  clock_is_right
}
clock_is_right() {
  local headers line date='' theirs
  headers=$(curl --silent --head --retry 5 --retry-connrefused --max-time 20 "$(s3_url '')") ||
    fatal bucket-unreachable 'the bucket gives no answer at all'
  while IFS= read -r line; do
    [[ ${line,,} != date:* ]] || date=${line#*: }
  done <<<"${headers}"
  [[ -n ${date} ]] || return 0
  whole_number theirs "$(date --date "${date//$'\r'/}" +%s)"
  local skew=$((EPOCHSECONDS - theirs))
  ((skew > -300 && skew < 300)) && return 0
  warn "the clock is off by ${skew} s"
  return 1
}

# report_failure: what the EXIT trap of a node stage does: the reason becomes the phase, the end of the log goes to the bucket.
# It runs after anything may have failed, so each of its steps may fail as well.
report_failure() {
  local reason
  reason=$(failure_reason)
  warn "ends as failed:${reason}"
  # EC2 shows it as the instance's console output, also of an instance that can reach nobody.
  printf 'drowse: failed:%s: %s\n' "${reason}" "$(failure_message)" >"${CONSOLE}" || true
  [[ -n ${FACTS[instanceId]:-} ]] || return 0
  (phase "failed:${reason}") || warn 'the phase could not be tagged'
  journal_tail >"${SCRATCH}/log-tail" || return 0
  (s3_put "${SCRATCH}/log-tail" "$(log_key node.log)") || warn 'the log could not be put into the bucket'
}

# log_key <file>: where this instance's logs are in the bucket. Its role may write below its own ARN and nowhere else.
log_key() { printf 'logs/%s/%s' "${FACTS[arn]}" "$1"; }

# journal_tail: the last lines of our units, of the kubelet and of the container runtime.
journal_tail() {
  journalctl --boot --no-pager --lines 400 --output short-iso --unit drowse-node --unit kubelet --unit containerd
}
