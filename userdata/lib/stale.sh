# shellcheck shell=bash
#
# Everything in the cluster that names an instance that is gone: Nodes, their pods, their VolumeAttachments, leader leases of what
# ran there. It is removed rather than waited for: instances' names are never used twice; a volume stays blocked for six minutes
# by an attachment to a dead node (aws-ebs-csi-driver#542); dead pods are shown as ready for about a minute; and nobody schedules
# or signs until yesterday's leases have run out. stale.jq decides, these functions act. Sourced.
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

# remove_stale <time>: when this instance last stopped its Kubernetes; a boot knows it, and so tells leases of its own
# earlier life from those of this one. Elsewhere it is empty.
remove_stale() {
  local found=${SCRATCH}/stale.json
  live_instances || return 1
  # An empty answer is no reason to delete every node: this instance itself is alive.
  is_live "${FACTS[instanceId]}" || return 1
  find_stale "$1" >"${found}" || return 1
  mapfile -t STALE_NODES < <(jq --raw-output '.nodes[]' "${found}")
  free_leases "${found}"
  delete_attachments "${found}" || return 1
  delete_pods "${found}" || return 1
  # Last: a run that is cut off before it must know again what was there.
  ((${#STALE_NODES[@]} == 0)) || cluster_kubectl delete node "${STALE_NODES[@]}" --ignore-not-found --wait=false >&2 || return 1
  info "removed ${#STALE_NODES[@]} stale nodes and ${STALE_ATTACHMENTS} volume attachments"
}

# find_stale <time>: prints what stale.jq makes of the cluster's objects.
find_stale() {
  local alone=true
  [[ ! -v NODE[endpoint.seats.1] ]] || alone=false
  cluster_kubectl get nodes,volumeattachments,pods,leases.coordination.k8s.io --all-namespaces --output json >"${SCRATCH}/objects.json" || return 1
  jq --compact-output --arg self "${FACTS[instanceId]}" --arg host "${HOSTNAME}" --arg since "$1" --arg alone "${alone}" \
    --from-file "${DROWSE_HOME}/lib/stale.jq" "${SCRATCH}/objects.json" --args "${LIVE[@]}"
}

# free_leases <found>: so that whoever runs now leads at its next try. One that its holder renewed meanwhile is refused: it lives.
free_leases() {
  jq .leases "$1" >"${SCRATCH}/leases.json"
  jq --exit-status '.items != []' "${SCRATCH}/leases.json" >/dev/null || return 0
  cluster_kubectl replace --filename "${SCRATCH}/leases.json" >&2 || info 'some leases were renewed or gone meanwhile'
}

# delete_attachments <found>: the instance is gone, so the volume is free; the finalizer would wait for a driver to find that out.
delete_attachments() {
  local attachments=() attachment
  mapfile -t attachments < <(jq --raw-output '.attachments[]' "$1")
  STALE_ATTACHMENTS=${#attachments[@]}
  for attachment in "${attachments[@]}"; do
    cluster_kubectl delete volumeattachment "${attachment}" --wait=false --ignore-not-found >&2 || return 1
    cluster_kubectl patch volumeattachment "${attachment}" --type merge --patch '{"metadata":{"finalizers":null}}' >&2 2>&1 || true
  done
}

# delete_pods <found>: nobody is left who could end them gracefully.
delete_pods() {
  jq .pods "$1" >"${SCRATCH}/pods.json"
  jq --exit-status '.items != []' "${SCRATCH}/pods.json" >/dev/null || return 0
  cluster_kubectl delete --filename "${SCRATCH}/pods.json" --force --grace-period 0 --wait=false --ignore-not-found >&2
}
