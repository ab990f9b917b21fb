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

# live_instances: IDs of the cluster's instances that run or are about to, as the global array LIVE.
live_instances() {
  LIVE=()
  aws_ec2 DescribeInstances 'Filter.1.Name=tag:drowse:cluster' "Filter.1.Value.1=${NODE[cluster]}" \
    'Filter.2.Name=instance-state-name' 'Filter.2.Value.1=pending' 'Filter.2.Value.2=running' || return 1
  aws_ec2_each note_instance reservationSet.instancesSet instanceId instanceState.name tag:drowse:cluster
}

# note_instance <ID> <state> <cluster>
note_instance() {
  [[ $3 != "${NODE[cluster]}" || $2 != @(pending|running) ]] || LIVE+=("$1")
}

remove_stale_nodes() {
  local live kind name attachments=() attachment
  live_instances || return 1
  # An empty answer is no reason to delete every node: this instance itself is alive.
  [[ " ${LIVE[*]} " == *" ${FACTS[instanceId]} "* ]] || return 1
  printf -v live '"%s",' "${LIVE[@]}"
  live="[${live%,}]"
  cluster_kubectl get nodes,volumeattachments --output json >"${SCRATCH}/objects.json" || return 1
  STALE_NODES=()
  while read -r kind name; do
    case ${kind} in
      Node) STALE_NODES+=("${name}") ;;
      VolumeAttachment) attachments+=("${name}") ;;
    esac
  done < <(jq --raw-output --argjson live "${live}" '[.items[]
    | select((if .kind == "Node" then .metadata.name else .spec.nodeName end) | IN($live[]) | not)
    | "\(.kind) \(.metadata.name)"] | sort[]' "${SCRATCH}/objects.json")
  STALE_ATTACHMENTS=${#attachments[@]}
  for attachment in "${attachments[@]}"; do
    # The instance is gone, so the volume is free; the finalizer would wait for a driver to find that out.
    cluster_kubectl delete volumeattachment "${attachment}" --wait=false --ignore-not-found >&2 || return 1
    cluster_kubectl patch volumeattachment "${attachment}" --type merge --patch '{"metadata":{"finalizers":null}}' >&2 2>&1 || true
  done
  ((${#STALE_NODES[@]} == 0)) || cluster_kubectl delete node "${STALE_NODES[@]}" --ignore-not-found --wait=false >&2 || return 1
  info "removed ${#STALE_NODES[@]} stale nodes and ${STALE_ATTACHMENTS} volume attachments"
}
