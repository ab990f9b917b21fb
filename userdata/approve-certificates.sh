#!/usr/bin/env bash
#
# Approves kubelets' requests for certificates on a seat: that of a node that joins only for the very instance that its token was
# minted for, while that is being launched; one to serve with only for the names and addresses that EC2 shows of the instance that
# asks (lib/approve.py decides). A token that has served is deleted. It looks whenever a request comes, and now and then. Run by
# drowse-approver.service, which starts it anew when the API server closes the watch; reads nothing but /etc/drowse/node.json.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=lib/common.sh
source "${HERE}/lib/common.sh"
# shellcheck source=lib/aws.sh
source "${HERE}/lib/aws.sh"
# shellcheck source=lib/node.sh
source "${HERE}/lib/node.sh"

# How long until the next look if nothing comes: AWS may yet show what an open request asks for, a token has to be deleted after its
# use, and a watch may die unseen.
readonly OPEN_SECONDS=10
readonly IDLE_SECONDS=60

# How much the last look left to do, and of which requests a reason was already told.
left_open=0
declare -A told=()

main() {
  local watch code
  trap close_scratch EXIT
  open_scratch
  load_node_data
  load_facts
  : >"${SCRATCH}/retired"
  # Before the first look, so that nothing falls in between.
  exec {watch}< <(kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get certificatesigningrequests --watch-only --output name)
  while true; do
    left_open=0
    if ! look; then
      warn 'the requests could not be looked at'
      left_open=1
    fi
    code=0
    IFS= read -r -t "$((left_open > 0 ? OPEN_SECONDS : IDLE_SECONDS))" -u "${watch}" _ || code=$?
    # Above 128 nothing came in time; else the watch has ended.
    ((code == 0 || code > 128)) || return 0
  done
}

# look: does what can be done now. It runs without errexit, so each step says whether to go on.
look() {
  local requests=${SCRATCH}/requests.json instances=${SCRATCH}/instances groups=${SCRATCH}/groups
  local ids=() filter=() members=() index name verdict words
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 30s get certificatesigningrequests --output json >"${requests}" || return 1
  decide instances "${requests}" "${SCRATCH}/retired" >"${SCRATCH}/ids" || return 1
  mapfile -t ids <"${SCRATCH}/ids"
  ((${#ids[@]} > 0)) || return 0
  for index in "${!ids[@]}"; do
    filter+=("Filter.1.Value.$((index + 1))=${ids[index]}")
    members+=("InstanceIds.member.$((index + 1))=${ids[index]}")
  done
  # A filter, since an ID that EC2 does not know yet would make the whole call fail.
  aws_ec2 DescribeInstances Filter.1.Name=instance-id "${filter[@]}" || return 1
  rows_of reservationSet.instancesSet instanceId instanceState.name tag:drowse:cluster tag:drowse:pool launchTime \
    privateDnsName dnsName ipAddress networkInterfaceSet.privateIpAddressesSet.privateIpAddress >"${instances}" || return 1
  aws_autoscaling DescribeAutoScalingInstances "${members[@]}" || return 1
  rows_of DescribeAutoScalingInstancesResult.AutoScalingInstances.member InstanceId LifecycleState AutoScalingGroupName \
    >"${groups}" || return 1
  decide decide "${requests}" "${SCRATCH}/retired" "${instances}" "${groups}" "${NODE[cluster]}" >"${SCRATCH}/decisions" || return 1
  while IFS=$'\x1f' read -r name verdict words; do
    case ${verdict} in
      approve) approve "${name}" || leave_open "${name}" 'the API server did not take the approval' ;;
      retire) retire "${name}" "${words}" || leave_open "token ${name}" 'it could not be deleted' ;;
      *) leave_open "${name}" "${words}" ;;
    esac
  done <"${SCRATCH}/decisions"
}

rows_of() { python "${HERE}/lib/data.py" rows "${AWS_ANSWER}" "$@"; }

approve() {
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 30s certificate approve "$1" >&2 || return 1
  # Its token has to go once the kubelet has what it asked for.
  left_open=$((left_open + 1))
}

# retire <token ID> <parameter, if it lies in one>
retire() {
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 30s --namespace kube-system delete secret "bootstrap-token-$1" \
    --ignore-not-found >&2 || return 1
  [[ -z $2 ]] || parameter_delete "$2" || return 1
  printf '%s\n' "$1" >>"${SCRATCH}/retired"
}

# leave_open <what> <why>: until the next look. Each reason is told once.
leave_open() {
  left_open=$((left_open + 1))
  [[ ${told[$1]:-} == "$2" ]] || info "$1 stays open: $2"
  told[$1]=$2
}

# decide <words…>: with the packages of the host's Python, unlike `python`: reading certificates is a library's business.
decide() { python3 -I "${HERE}/lib/approve.py" "$@"; }

main "$@"
