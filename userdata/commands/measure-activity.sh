#!/usr/bin/env bash
#
# Finds out how much the cluster is used. Each figure stands for itself: what cannot be found out is null, and fails nothing.
#
#   --window-minutes N   how far to look back, 1 to 999
#   --pod-labels LIST    labels (key=value, with commas in between) of the pods that count as use, or none
#
# Result: {ok, requests, gpuPercent, jobs, pods, at}: requests to the ingress in the window; the highest use of any GPU in it,
# in percent (0 without a GPU node); Jobs that run; pods with one of the labels that run or are about to.
# Errors: BadArguments, ApiNotReady.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"

# Namespaces whose Jobs are the platform's own.
readonly OWN_NAMESPACES='["kube-system", "flux-system", "monitoring", "cert-manager"]'

main() {
  command_begin measure-activity 'window-minutes=[1-9][0-9]{0,2}' 'pod-labels=[A-Za-z0-9./_=,-]+' -- "$@"
  local figure at
  require_api
  declare -A found=()
  for figure in requests gpu_percent jobs pods; do
    found[${figure}]=$("${figure}") || found[${figure}]=null
    # jq 1.6 is content with no answer at all.
    : "${found[${figure}]:=null}"
    info "${figure}: ${found[${figure}]}"
  done
  at=$(utc_now)
  printf '{"ok":true,"requests":%s,"gpuPercent":%s,"jobs":%s,"pods":%s,"at":"%s"}\n' \
    "${found[requests]}" "${found[gpu_percent]}" "${found[jobs]}" "${found[pods]}" "${at}" >&3
}

# Each figure prints one number, or fails.

# NGINX counts each look at its counter as a request too: one a scrape, so that as many are none.
requests() {
  local metric="nginx_ingress_nginx_http_requests_total[${OPTIONS["window-minutes"]}m]"
  ask_prometheus "clamp_min(sum(increase(${metric})) - sum(count_over_time(${metric})), 0)"
}

gpu_percent() {
  local nodes
  nodes=$(cluster_kubectl get nodes --selector nvidia.com/gpu.present=true --output json) || return 1
  # What never was cannot be used. With a GPU there must be figures: without them nobody knows.
  if jq --exit-status '.items == []' <<<"${nodes}" >/dev/null; then
    printf 0
    return 0
  fi
  ask_prometheus "max(max_over_time(DCGM_FI_DEV_GPU_UTIL[${OPTIONS["window-minutes"]}m]))"
}

jobs() {
  cluster_kubectl get jobs --all-namespaces --output json >"${SCRATCH}/jobs.json" || return 1
  jq --argjson own "${OWN_NAMESPACES}" \
    '[.items[] | select((.status.active // 0) > 0 and (.metadata.namespace | IN($own[]) | not))] | length' "${SCRATCH}/jobs.json"
}

pods() {
  local label labels=()
  [[ ${OPTIONS["pod-labels"]} == none ]] || IFS=, read -ra labels <<<"${OPTIONS["pod-labels"]}"
  : >"${SCRATCH}/pods.jsonl"
  for label in "${labels[@]}"; do
    cluster_kubectl get pods --all-namespaces --selector "${label}" --output json >>"${SCRATCH}/pods.jsonl" || return 1
  done
  jq --slurp '[.[].items[] | select(.status.phase == "Running" or .status.phase == "Pending") | .metadata | "\(.namespace)/\(.name)"]
    | unique | length' "${SCRATCH}/pods.jsonl"
}

# ask_prometheus <expression>: the one number that it comes to. Asked inside Prometheus' own pod: nobody else may connect to it
# (platform/configs/policies), and an API server cannot reach pods of other nodes through it.
ask_prometheus() {
  cluster_kubectl --namespace monitoring exec statefulset/prometheus-monitoring-prometheus --container prometheus -- \
    promtool query instant --format json http://localhost:9090 "$1" >"${SCRATCH}/prometheus.json" || return 1
  jq --exit-status 'if length == 1 then .[0].value[1] | tonumber | select(isnormal or . == 0) | round else empty end' \
    "${SCRATCH}/prometheus.json"
}

main "$@"
