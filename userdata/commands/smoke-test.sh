#!/usr/bin/env bash
#
# Checks from a seat that the cluster works: its parts are healthy, and a pod can be scheduled, started and removed. No options.
#
# Result: {ok, checks: [{name, ok, detail}]}. Errors: ApiNotReady, SmokeTestFailed (with checks).
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/etcd.sh
source "${HERE}/../lib/etcd.sh"

readonly NAMESPACE=drowse-smoke-test
CHECKS=''

main() {
  command_begin smoke-test -- "$@"
  local check name detail good failed=no
  require_api
  for check in etcd_quorum nodes_ready dns_available gpus_allocatable pod_starts; do
    name=${check//_/-}
    good=true
    detail=$("${check}") || good=false failed=yes
    json_quote detail "${detail}"
    CHECKS+="${CHECKS:+,}{\"name\":\"${name}\",\"ok\":${good},\"detail\":${detail}}"
  done
  cluster_kubectl delete namespace "${NAMESPACE}" --ignore-not-found --wait=false
  if [[ ${failed} == yes ]]; then
    FAILURE_DETAILS="{\"checks\":[${CHECKS}]}"
    fatal smoke-test-failed 'at least one check failed'
  fi
  printf '{"ok":true,"checks":[%s]}\n' "${CHECKS}" >&3
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

dns_available() {
  cluster_kubectl --namespace kube-system rollout status deployment/coredns --timeout 30s
}

gpus_allocatable() {
  cluster_kubectl get nodes --selector nvidia.com/gpu.present=true --output json >"${SCRATCH}/gpu-nodes.json" || return 1
  jq --raw-output --exit-status '[.items[] | (.status.allocatable["nvidia.com/gpu"] // "0" | tonumber)]
    | if all(.[]; . > 0) then "\(add // 0) GPUs on \(length) nodes" else "a GPU node offers no GPU", false end' "${SCRATCH}/gpu-nodes.json"
}

pod_starts() {
  cluster_kubectl create namespace "${NAMESPACE}" --dry-run=client --output yaml | cluster_kubectl apply --filename - >/dev/null || return 1
  cluster_kubectl --namespace "${NAMESPACE}" delete pod smoke --ignore-not-found --timeout 30s >/dev/null || return 1
  cluster_kubectl --namespace "${NAMESPACE}" run smoke --image registry.k8s.io/pause:3.10.2 --restart Never >/dev/null || return 1
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --namespace "${NAMESPACE}" wait pod/smoke --for condition=Ready --timeout 90s
}

main "$@"
