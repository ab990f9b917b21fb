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

is_live() { [[ " ${LIVE[*]} " == *" $1 "* ]]; }

remove_stale_nodes() {
  local kind name node attachments=() attachment
  live_instances || return 1
  # An empty answer is no reason to delete every node: this instance itself is alive.
  is_live "${FACTS[instanceId]}" || return 1
  cluster_kubectl get nodes,volumeattachments \
    --output 'jsonpath={range .items[*]}{.kind} {.metadata.name} {.spec.nodeName}{"\n"}{end}' >"${SCRATCH}/objects" || return 1
  STALE_NODES=()
  while read -r kind name node; do
    case ${kind} in
      Node) is_live "${name}" || STALE_NODES+=("${name}") ;;
      VolumeAttachment) is_live "${node}" || attachments+=("${name}") ;;
    esac
  done <"${SCRATCH}/objects"
  STALE_ATTACHMENTS=${#attachments[@]}
  for attachment in "${attachments[@]}"; do
    # The instance is gone, so the volume is free; the finalizer would wait for a driver to find that out.
    cluster_kubectl delete volumeattachment "${attachment}" --wait=false --ignore-not-found >&2 || return 1
    cluster_kubectl patch volumeattachment "${attachment}" --type merge --patch '{"metadata":{"finalizers":null}}' >&2 2>&1 || true
  done
  ((${#STALE_NODES[@]} == 0)) || cluster_kubectl delete node "${STALE_NODES[@]}" --ignore-not-found --wait=false >&2 || return 1
  info "removed ${#STALE_NODES[@]} stale nodes and ${STALE_ATTACHMENTS} volume attachments"
}
