# shellcheck shell=bash
#
# Frame of the commands that the workflows run through SSM: named options in, one JSON object out. Standard output carries
# nothing but the result, as its last line; everything else goes to a log, which reaches the bucket when a command fails (SSM
# keeps only the first characters of what is printed), and lies in /run/drowse once the command has ended. Sourced.
#
# Results are printed to descriptor 3, which is the standard output that the command was started with.
#
# Sets: OPTIONS          values of the command's options by name
#       DISK_SCRATCH     set by a command: a folder that goes when the command ends, however it does
#       FAILURE_DETAILS  set by a command: a JSON object whose fields join the result of its failure

# What every command needs comes with it.
readonly LIBRARY=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/common.sh
source "${LIBRARY}/common.sh"
# shellcheck source=../lib/aws.sh
source "${LIBRARY}/aws.sh"
# shellcheck source=../lib/node.sh
source "${LIBRARY}/node.sh"
# shellcheck source=../lib/stale.sh
source "${LIBRARY}/stale.sh"

declare -gA OPTIONS=()
command_name=''
DISK_SCRATCH=''

# command_begin <name> <option=pattern …> -- <arguments…>: every option is needed, has the form --name value and must match its
# pattern whole.
command_begin() {
  local specification
  declare -A patterns=()
  command_name=$1
  shift
  trap command_end EXIT
  open_scratch
  exec 3>&1 1>"${SCRATCH}/log" 2>&1
  while [[ $1 != -- ]]; do
    specification=$1
    patterns[${specification%%=*}]=${specification#*=}
    shift
  done
  shift
  while (($# > 0)); do
    [[ $1 == --* && -n ${patterns[${1#--}]+known} && $# -ge 2 ]] || fatal bad-arguments "no such option, or no value: $1"
    [[ $2 =~ ^(${patterns[${1#--}]})$ ]] || fatal bad-arguments "$1 does not take this value"
    OPTIONS[${1#--}]=$2
    shift 2
  done
  for specification in "${!patterns[@]}"; do
    [[ -n ${OPTIONS[${specification}]+given} ]] || fatal bad-arguments "--${specification} is missing"
  done
  load_node_data
  load_facts
}

# command_end: the EXIT trap. An error nobody named is an unexpected one, with the log's end in the bucket all the same.
command_end() {
  local code=$?
  trap - EXIT
  [[ -z ${DISK_SCRATCH} ]] || rm -rf "${DISK_SCRATCH}"
  ((code == 0)) || tell_failure
  mv -f "${SCRATCH}/log" "${DROWSE_RUN}/${command_name}.log"
  close_scratch
  exit $((code != 0))
}
tell_failure() {
  local reason message word name='' details=${FAILURE_DETAILS:-}
  reason=$(failure_reason)
  message=$(failure_message)
  if tells_of_full_etcd "$(<"${SCRATCH}/log")"; then
    message="etcd is full and takes no changes until that is mended (${message})"
    reason='etcd-no-space'
  fi
  for word in ${reason//-/ }; do
    name+=${word^}
  done
  [[ -z ${FACTS[instanceId]:-} ]] || (s3_put "${SCRATCH}/log" "$(log_key "${command_name}.log")") || true
  json_quote message "${message}"
  printf '{"ok":false,"error":"%s","message":%s%s}\n' "${name}" "${message}" "${details:+,${details:1:-1}}" >&3
}

# require_api: most commands are of use only on a seat whose API answers. A short wait: workflows ask again, two dozen times, and without
# a quorum each of them would add to what a sleep takes.
require_api() {
  wait_until 'the API server of this seat' api-not-ready 15 2 cluster_kubectl get --raw /readyz
}

utc_now() { printf '%(%Y-%m-%dT%H:%M:%SZ)T' -1; }
