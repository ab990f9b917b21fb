#!/usr/bin/env bash
#
# Empties every pool node: all are cordoned first, so that no pod moves onto the next node to be drained, then drained side by
# side. Disruption budgets are honoured; a node that is not empty in its time is left as it is, and its pods are named.
#
#   --per-node-seconds N   how long a node may take, 10 to 3600
#
# Result: {ok, drained: [node], stuck: [{pod, node, reason}], stuckPods: n}: of many stuck pods only the first are named, as Run
# Command keeps 24,000 characters of an answer. Errors: BadArguments, ApiNotReady, NodesNotListed.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"

# Drains at once: enough for 100 nodes in a few minutes, few enough for the API server of a t3.medium.
readonly AT_ONCE=10

# The workflow lets it run for 900 s, of which the wait for the API may have taken 60. What is not drained by then is named as
# stuck: a command that is cut off could not say what.
readonly PATIENCE_SECONDS=780

# How many stuck pods are named: even with the longest names they leave room for the names of 200 nodes.
readonly STUCK_NAMED=40

main() {
  command_begin drain-nodes 'per-node-seconds=[1-9][0-9]{1,3}' -- "$@"
  local nodes=() ours=() node free seconds running=0 ends left
  whole_number seconds "${OPTIONS["per-node-seconds"]}"
  require_api
  ends=$((SECONDS + PATIENCE_SECONDS))
  cluster_kubectl get nodes --selector '!node-role.kubernetes.io/control-plane' --output json >"${SCRATCH}/nodes.json" ||
    fatal nodes-not-listed 'the API does not list nodes'
  mkdir "${SCRATCH}/drain"
  while read -r node free; do
    nodes+=("${node}")
    # A wake takes back no cordon but ours (lib/platform.sh): what a person had cordoned stays so.
    [[ ${free} != true ]] || ours+=("${node}")
  done < <(jq --raw-output '.items | sort_by(.metadata.name)[] | "\(.metadata.name) \(.spec.unschedulable | not)"' "${SCRATCH}/nodes.json")
  ((${#ours[@]} == 0)) || cluster_kubectl annotate node "${ours[@]}" --overwrite drowse.dev/cordoned-by=drain-nodes
  ((${#nodes[@]} == 0)) || cluster_kubectl cordon "${nodes[@]}"
  for node in "${nodes[@]}"; do
    ((running < AT_ONCE)) || {
      wait -n || true
      running=$((running - 1))
    }
    left=$((ends > SECONDS ? ends - SECONDS : 1))
    drain "${node}" $((seconds < left ? seconds : left)) &
    running=$((running + 1))
  done
  wait
  report
}

# drain <node> <seconds>: leaves <node>.drained or <node>.stuck behind, one JSON value each.
drain() {
  local folder=${SCRATCH}/drain
  if kubectl --kubeconfig "${KUBECONFIG_ADMIN}" drain "$1" --ignore-daemonsets --delete-emptydir-data --force \
    --timeout "$2s" >"${folder}/$1.log" 2>&1; then
    printf '"%s"' "$1" >"${folder}/$1.drained"
    return 0
  fi
  cluster_kubectl get pods --all-namespaces --field-selector "spec.nodeName=$1" --output json >"${folder}/$1.pods" ||
    printf '{"items":[]}' >"${folder}/$1.pods"
  # Who is left, and why: pods of daemon sets and of the kubelet itself are meant to stay. One that has ended is in nobody's way, unless
  # it cannot be deleted. Whatever kept a node from being drained has an entry, and be it the last words of the drain.
  jq --compact-output --rawfile log "${folder}/$1.log" --arg node "$1" '[.items[]
    | select(all(.metadata.ownerReferences[]?; .kind != "DaemonSet" and .kind != "Node"))
    | (.status.phase | IN("Succeeded", "Failed")) as $ended
    | .metadata as $pod
    | select(($ended | not) or ($pod.deletionTimestamp and ($pod.finalizers // []) != []))
    | {pod: "\($pod.namespace)/\($pod.name)", node: $node, reason: (
        if ($pod.finalizers // []) != [] then "waits for the finalizer \($pod.finalizers | join(", "))"
        elif $pod.deletionTimestamp then "still terminating"
        elif ($log | split("\n") | any(contains("\"\($pod.name)\"") and contains("disruption budget"))) then "its disruption budget forbids it"
        else "not evicted in time" end)}]
    | if . == [] then [{pod: "", node: $node, reason: ([$log | split("\n")[] | select(. != "")] | last // "the drain did not say why")}] else . end' \
    "${folder}/$1.pods" >"${folder}/$1.stuck"
}

report() {
  local folder=${SCRATCH}/drain
  shopt -s nullglob
  cat "${folder}"/*.log </dev/null
  cat /dev/null "${folder}"/*.drained "${folder}"/*.stuck | jq --slurp --compact-output --argjson named "${STUCK_NAMED}" '(map(arrays) | add // []) as $stuck
    | {ok: true, drained: map(strings), stuck: $stuck[:$named] | map(.reason |= .[:100]), stuckPods: ($stuck | length)}' >&3
}

main "$@"
