#!/usr/bin/env bash
#
# Checks from a seat that the cluster works: its parts are healthy, a pod can be scheduled, started and removed, and a Job sees a
# GPU where one is free. It can run again at once, and beside another run.
#
#   --checks all|gpu  gpu: the Job with nvidia-smi alone
#
# Result: {ok, checks: [{name, ok, detail}], nvidiaSmi}: the last is all that nvidia-smi shows, if it ran. Errors: ApiNotReady,
# SmokeTestFailed (with checks).
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/etcd.sh
source "${HERE}/../lib/etcd.sh"

readonly MANIFESTS=${HERE}/../manifests/smoke-test
readonly NAMESPACE=drowse-smoke-test
# An image has to be pulled meanwhile. All of it stays below the 600 s that the document gives the script.
readonly POD_SECONDS=120 GPU_SECONDS=240
CHECKS=''

main() {
  command_begin smoke-test 'checks=all|gpu' -- "$@"
  local check name detail good failed=no checks=(etcd_quorum nodes_ready dns_available gpus_allocatable pod_starts nvidia_smi) shown=''
  require_api
  [[ ${OPTIONS[checks]} == all ]] || checks=(nvidia_smi)
  for check in "${checks[@]}"; do
    name=${check//_/-}
    good=true
    detail=$("${check}" 2>"${SCRATCH}/said") || good=false failed=yes
    cat "${SCRATCH}/said"
    # Where jq's exit status says that something is not good, it has printed a second line for that.
    detail=${detail%%$'\n'*}
    [[ ${good} == true ]] || detail=$(cause "${detail}")
    json_quote detail "${detail}"
    CHECKS+="${CHECKS:+,}{\"name\":\"${name}\",\"ok\":${good},\"detail\":${detail}}"
  done
  if [[ ${failed} == yes ]]; then
    FAILURE_DETAILS="{\"checks\":[${CHECKS}]}"
    fatal smoke-test-failed 'at least one check failed'
  fi
  if [[ -s ${SCRATCH}/nvidia-smi ]]; then
    json_quote shown "$(<"${SCRATCH}/nvidia-smi")"
    shown=",\"nvidiaSmi\":${shown}"
  fi
  printf '{"ok":true,"checks":[%s]%s}\n' "${CHECKS}" "${shown}" >&3
}

# cause <detail>: what a failed check said, and the last of what its programs said.
cause() {
  local lines last=''
  mapfile -t lines <"${SCRATCH}/said"
  ((${#lines[@]} == 0)) || last=${lines[-1]}
  last=$1${1:+${last:+: }}${last}
  printf '%s' "${last:-it failed without a word}"
}

# Each check prints one line of detail, and fails if what it says is not good.
etcd_quorum() {
  list_of NODE endpoint.seats
  printf '%s seats' "${#LIST[@]}"
  find_quorum "${LIST[@]}"
}

nodes_ready() {
  cluster_kubectl get nodes --output json >"${SCRATCH}/nodes.json" || return 1
  jq --raw-output --exit-status '[.items[] | {name: .metadata.name, ready: any(.status.conditions[]; .type == "Ready" and .status == "True")}]
    | ([.[] | select(.ready | not) | .name] | join(", ")) as $missing
    | if $missing == "" then "\(length) nodes" else "not ready: \($missing)", false end' "${SCRATCH}/nodes.json"
}

# dns_available: asks the pods themselves, of instances that run: those of a dead one are shown as ready for about a minute, to the
# Deployment's status as well.
dns_available() {
  local good=yes
  live_instances || return 1
  wait_for 30 dns_answers || good=no
  cat "${SCRATCH}/dns"
  [[ ${good} == yes ]]
}

dns_answers() {
  cluster_kubectl --namespace kube-system get pods --selector k8s-app=kube-dns --output json >"${SCRATCH}/dns-pods.json" || return 1
  jq --raw-output --exit-status '
    [.items[] | {name: .metadata.name, node: (.spec.nodeName // "no node"),
      ready: any(.status.conditions[]?; .type == "Ready" and .status == "True")}
      | . + {alive: (.node | IN($ARGS.positional[]))}] as $pods
    | ($pods | map(select(.ready and .alive)) | length) as $good
    | if $good > 0 then "\($good) of \($pods | length) pods are ready on instances that run"
      else "no pod is ready on an instance that runs: \([$pods[] | "\(.name) on \(.node)"] | join(", "))", false end' \
    "${SCRATCH}/dns-pods.json" --args "${LIVE[@]}" >"${SCRATCH}/dns"
}

gpus_allocatable() {
  cluster_kubectl get nodes --selector nvidia.com/gpu.present=true --output json >"${SCRATCH}/gpu-nodes.json" || return 1
  jq --raw-output --exit-status '[.items[] | (.status.allocatable["nvidia.com/gpu"] // "0" | tonumber)]
    | if all(.[]; . > 0) then "\(add // 0) GPUs on \(length) nodes" else "a GPU node offers no GPU", false end' "${SCRATCH}/gpu-nodes.json"
}

pod_starts() {
  local job done=yes
  job=$(create_job pod-starts) || return 1
  wait_for "${POD_SECONDS}" job_is "${job}" '.status.conditions[]? | select(.type == "Ready" and .status == "True")' || done=no
  state_of "${job}"
  delete_job "${job}"
  [[ ${done} == yes ]]
}

nvidia_smi() {
  local job gpus said='' detail done=yes
  gpus=$(free_gpus) || return 1
  if [[ ${gpus} != free ]]; then
    printf 'not run: %s' "${gpus}"
    return 0
  fi
  job=$(create_job nvidia-smi) || return 1
  wait_for "${GPU_SECONDS}" job_is "${job}" 'select(.status.phase | IN("Succeeded", "Failed"))' || done=no
  job_is "${job}" 'select(.status.phase == "Succeeded")' || done=no
  [[ ${done} == no ]] || said=$(cluster_kubectl --namespace "${NAMESPACE}" logs "job/${job}") || done=no
  if [[ ${done} == yes ]]; then
    # A line for each GPU, an empty one, and then what a person wants to see.
    detail=${said%%$'\n\n'*}
    printf '%s' "${detail//$'\n'/; }"
    printf '%s' "${said#"${detail}"}" >"${SCRATCH}/nvidia-smi"
  else
    state_of "${job}"
  fi
  delete_job "${job}"
  [[ ${done} == yes ]]
}

# create_job <manifest>: prints the Job's name. A namespace that somebody is deleting is waited for.
create_job() {
  wait_for 60 try_create "$1" || return 1
  cat "${SCRATCH}/job"
}

try_create() {
  cluster_kubectl apply --server-side --filename "${MANIFESTS}/namespace.yaml" >/dev/null &&
    cluster_kubectl create --filename "${MANIFESTS}/$1.yaml" --output 'jsonpath={.metadata.name}' >"${SCRATCH}/job"
}

# job_is <name> <jq expression>: whether it yields anything for the Job's pod.
job_is() {
  cluster_kubectl --namespace "${NAMESPACE}" get pods --selector "batch.kubernetes.io/job-name=$1" --output json >"${SCRATCH}/pods.json" || return 1
  jq --exit-status "any(.items[]; [$2] != [])" "${SCRATCH}/pods.json" >/dev/null
}

# state_of <name>: where the Job's pod is and what keeps it, or what keeps the Job from having one.
state_of() {
  cluster_kubectl --namespace "${NAMESPACE}" get events --field-selector "involvedObject.name=$1,type=Warning" --output json >"${SCRATCH}/events.json" || return 1
  jq --raw-output --slurpfile events "${SCRATCH}/events.json" '
    if .items == [] then [$events[0].items[].message] | last // "the Job has no pod yet"
    else .items[0] | ["\(.status.phase) on \(.spec.nodeName // "no node")",
        (.status.conditions[]? | select(.status == "False") | .message),
        (.status.containerStatuses[]?.state | (.waiting, .terminated) | select(. != null)
          | [.reason, .message] | map(select(. != null)) | join(": "))]
      | map(select(. != null and . != "")) | join("; ") | gsub("\\s+"; " ") | .[:500]
    end' "${SCRATCH}/pods.json"
}

delete_job() { cluster_kubectl --namespace "${NAMESPACE}" delete job "$1" --ignore-not-found --wait=false >/dev/null || true; }

# free_gpus: prints `free`, or why no Job would get a GPU now.
free_gpus() {
  cluster_kubectl get nodes --output json >"${SCRATCH}/nodes.json" || return 1
  cluster_kubectl get pods --all-namespaces --output json \
    --field-selector 'status.phase!=Succeeded,status.phase!=Failed' >"${SCRATCH}/all-pods.json" || return 1
  jq --raw-output --slurpfile pods "${SCRATCH}/all-pods.json" '
    def gpus: .["nvidia.com/gpu"] // "0" | tonumber;
    [.items[] | select(any(.status.conditions[]?; .type == "Ready" and .status == "True") and (.spec.unschedulable | not))
      | {name: .metadata.name, gpus: (.status.allocatable // {} | gpus)} | select(.gpus > 0)] as $nodes
    | [$pods[0].items[] | select(.spec.nodeName | IN($nodes[].name))
      | {name: "\(.metadata.namespace)/\(.metadata.name)", gpus: ([.spec.containers[].resources.limits // {} | gpus] | add)}
      | select(.gpus > 0)] as $users
    | ([$nodes[].gpus] | add // 0) as $all
    | if $all == 0 then "no node offers a GPU"
      elif ([$users[].gpus] | add // 0) >= $all then "all GPUs are in use, by \([$users[].name] | join(", "))"
      else "free" end' "${SCRATCH}/nodes.json"
}

# wait_for <seconds> <predicate…>: whether it comes true.
wait_for() {
  local bound interval=2 waited=0 started=${SECONDS}
  whole_number bound "$1"
  shift
  until "$@"; do
    ((waited < bound)) || return 1
    sleep "${interval}"
    waited=$((waited + interval > SECONDS - started ? waited + interval : SECONDS - started))
  done
}

main "$@"
