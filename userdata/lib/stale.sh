# shellcheck shell=bash
#
# Node objects and VolumeAttachments of instances that are gone. They are deleted rather than waited for: names are never used
# twice, and a volume stays blocked for six minutes by an attachment to a dead node (aws-ebs-csi-driver#542). Sourced.
#
# Sets: STALE_NODES        names of the deleted nodes
#       STALE_ATTACHMENTS  number of deleted attachments

STALE_NODES=()
STALE_ATTACHMENTS=0

cluster_kubectl() { kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 30s "$@"; }

# live_instances: IDs of the cluster's instances that run or are about to, into the file.
live_instances() {
  aws_ec2 DescribeInstances 'Filter.1.Name=tag:drowse:cluster' "Filter.1.Value.1=${NODE[cluster]}" \
    'Filter.2.Name=instance-state-name' 'Filter.2.Value.1=pending' 'Filter.2.Value.2=running' || return 1
  aws_ec2_json "${DROWSE_RUN}/instances.json" || return 1
  jq --compact-output '[(.reservationSet | if type == "array" then . else [] end)[].instancesSet[]
    | select(.instanceState.name == "pending" or .instanceState.name == "running") | .instanceId]' \
    "${DROWSE_RUN}/instances.json" >"$1"
}

remove_stale_nodes() {
  local live=${DROWSE_RUN}/live.json attachments=() attachment
  live_instances "${live}" || return 1
  # An empty answer is no reason to delete every node: this instance itself is alive.
  jq --exit-status --arg own "${FACTS[instanceId]}" 'index($own) != null' "${live}" >/dev/null || return 1
  cluster_kubectl get nodes --output json >"${DROWSE_RUN}/nodes.json" || return 1
  mapfile -t STALE_NODES < <(jq --raw-output --slurpfile live "${live}" \
    '[.items[].metadata.name] - $live[0] | sort[]' "${DROWSE_RUN}/nodes.json")
  cluster_kubectl get volumeattachments --output json >"${DROWSE_RUN}/attachments.json" || return 1
  mapfile -t attachments < <(jq --raw-output --slurpfile live "${live}" \
    '[.items[] | select(.spec.nodeName as $node | $live[0] | index($node) | not) | .metadata.name] | sort[]' "${DROWSE_RUN}/attachments.json")
  STALE_ATTACHMENTS=${#attachments[@]}
  for attachment in "${attachments[@]}"; do
    # The instance is gone, so the volume is free; the finalizer would wait for a driver to find that out.
    cluster_kubectl delete volumeattachment "${attachment}" --wait=false --ignore-not-found >&2 || return 1
    cluster_kubectl patch volumeattachment "${attachment}" --type merge --patch '{"metadata":{"finalizers":null}}' >&2 2>&1 || true
  done
  ((${#STALE_NODES[@]} == 0)) || cluster_kubectl delete node "${STALE_NODES[@]}" --ignore-not-found --wait=false >&2 || return 1
  info "removed ${#STALE_NODES[@]} stale nodes and ${STALE_ATTACHMENTS} volume attachments"
}
