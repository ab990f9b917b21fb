#!/usr/bin/env bash
#
# Ships what our units, the kubelet and the container runtime wrote to the journal since the last time to CloudWatch Logs:
# group from node data, one stream per instance. Of a seat beside them the API server's audit log (stream <instance>/audit) and the
# logs of kube-system's pods (<instance>/pods): they lie on a disk that ends with the seat. What CloudWatch has not taken is sent
# again. Run by drowse-logs.timer; reads nothing but /etc/drowse/node.json.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=lib/common.sh
source "${HERE}/lib/common.sh"
# shellcheck source=lib/aws.sh
source "${HERE}/lib/aws.sh"
# shellcheck source=lib/node.sh
source "${HERE}/lib/node.sh"

readonly CURSOR=${DROWSE_VAR}/log-cursor
# CloudWatch takes 10,000 events or 1 MiB a call; a journal line is far below 512 bytes on average.
readonly BATCH=2000
# Of each kind of file, bodies of 400 kB in one run: what piles up while CloudWatch does not answer is caught up with.
readonly BODIES=10

main() {
  # Before the install stage there is no jq; those lines are shipped once there is.
  command -v jq >/dev/null || return 0
  trap close_scratch EXIT
  open_scratch
  mkdir -p "${DROWSE_VAR}"
  load_node_data
  load_facts
  ship_journal
  [[ ${NODE[role]} == seat ]] || return 0
  shopt -s nullglob
  ship_files audit audit /var/log/kubernetes/audit*.log
  # The second form is a log that was turned over; it is packed, and gone for this, only when the next one is.
  ship_files pods path /var/log/pods/kube-system_*/*/*.log /var/log/pods/kube-system_*/*/*.log.*[0-9]
}

ship_journal() {
  local batch=${SCRATCH}/log-batch body
  read_journal >"${batch}"
  [[ -s ${batch} ]] || return 0
  body=$(jq --slurp --compact-output --arg group "${NODE[logGroup]}" --arg stream "${FACTS[instanceId]}" '
    {logGroupName: $group, logStreamName: $stream, logEvents: [.[]
      | select(.MESSAGE | type == "string")
      | {timestamp: (.__REALTIME_TIMESTAMP | tonumber / 1000 | floor),
         message: "\(.SYSLOG_IDENTIFIER // ._SYSTEMD_UNIT): \(.MESSAGE)"[:8000]}] | sort_by(.timestamp)}' "${batch}")
  [[ ${body} != *'"logEvents":[]'* ]] || return 0
  put_events "${FACTS[instanceId]}" "${body}"
  jq --slurp --raw-output 'last.__CURSOR' "${batch}" >"${CURSOR}.new"
  mv -f "${CURSOR}.new" "${CURSOR}"
}

read_journal() {
  local from=(--boot)
  [[ ! -s ${CURSOR} ]] || from=(--after-cursor "$(<"${CURSOR}")")
  journalctl --no-pager --output json --unit drowse-node --unit kubelet --unit containerd --unit haproxy --unit drowse-approver "${from[@]}" |
    head --lines "${BATCH}" || [[ ${PIPESTATUS[0]} == 141 ]]
}

# ship_files <kind> <label> <file…>: see lib/tail.py.
ship_files() {
  local offsets=${DROWSE_VAR}/log-offsets-$1 stream=${FACTS[instanceId]}/$1 body turn
  for ((turn = 0; turn < BODIES; turn++)); do
    body=$(python "${HERE}/lib/tail.py" "${offsets}" "${NODE[logGroup]}" "${stream}" "${@:2}")
    [[ -z ${body} ]] || put_events "${stream}" "${body}"
    mv -f "${offsets}.new" "${offsets}"
    [[ -n ${body} ]] || return 0
  done
}

# put_events <stream> <body>
put_events() {
  aws_logs PutLogEvents <<<"$2" && return 0
  [[ ${AWS_ERROR} == ResourceNotFoundException ]] || fatal logs-not-shipped "CloudWatch Logs takes no events (${AWS_ERROR})"
  aws_logs CreateLogStream <<<"{\"logGroupName\":\"${NODE[logGroup]}\",\"logStreamName\":\"$1\"}" ||
    [[ ${AWS_ERROR} == ResourceAlreadyExistsException ]] || fatal logs-not-shipped "no log stream (${AWS_ERROR})"
  aws_logs PutLogEvents <<<"$2" || fatal logs-not-shipped "CloudWatch Logs takes no events (${AWS_ERROR})"
}

main "$@"
