# shellcheck shell=bash
#
# A control-plane seat: first boot, wake, replacement and reboot are this one path. Sourced.

boot_seat() {
  phase control-plane
  stop_kubernetes
  attach_state_volume
  mount_state_volume
  bring_metrics_back
  require_space
  refuse_older_binaries
  take_fixed_address
  forget_node_state
  local data=no action
  [[ ! -d ${STATE}/etcd/member ]] || data=yes
  action=$(seat_action "${VOLUME[stage]}" "${data}" "${NODE[seat.index]}")
  info "this seat will ${action} (volume ${VOLUME[stage]}, etcd data: ${data})"
  "${action}_seat"
  finish_seat
}

# seat_action <stage of the volume> <etcd data on it: yes|no> <index>: the one decision that can lose a cluster.
#
#   volume        etcd data  cluster    seat  what to do
#   ready         yes        any        any   restore     from what is on it, needing nobody: after a sleep no seat of three has
#                                                         a quorum, so one that waited for the API would wait for ever
#   restored      yes        any        any   restore     what restore-etcd put there
#   restoring     any        exists     any   nothing     restore-etcd was cut off: failed:state-lost, until it is run again
#   initialising  any        any        0     initialise  go on where this first initialisation was cut off
#   joining       any        exists     any   join        its half-made member goes, then once more from the start; unless the
#                                                         others have no quorum without it, then it restores what it has
#   new           no         never was  0     initialise
#   new           no         never was  1, 2  join        as soon as seat 0 has made the cluster
#   new, ready    no         exists     any   join        in place of the lost member, if the others have a quorum; never
#                                                         initialise: without a quorum it ends as failed:state-lost
#   new           yes        any        any   nothing     data that nobody of us wrote: failed:volume-foreign
seat_action() {
  case "$1 $2" in
    'ready yes' | 'restored yes') printf restore ;;
    'restoring '*) fatal state-lost 'a restore of this volume was cut off: run restore-etcd again' ;;
    'initialising '*) printf initialise ;;
    'joining '* | 'ready no') printf join ;;
    'new no')
      if [[ $3 == 0 ]] && ! cluster_exists; then
        printf initialise
      else
        printf join
      fi
      ;;
    *) fatal volume-foreign "the volume is '$1', yet carries etcd data" ;;
  esac
}

# cluster_exists: whether the conditional record of the first initialisation is there; RECORD is its content.
declare -gA RECORD=()
cluster_exists() {
  if parameter_get initialized "${SCRATCH}/record.json"; then
    load_flat RECORD "${SCRATCH}/record.json"
    return 0
  fi
  # Not knowing is not the same as "never was": it must not lead to an initialisation.
  [[ ${AWS_ERROR} == ParameterNotFound ]] || fatal record-unreadable "whether the cluster exists cannot be read (${AWS_ERROR})"
  return 1
}

# record_cluster: from now on this cluster exists, and a blank volume never means a first boot again.
record_cluster() {
  local record object
  object=$(authorities_object)
  printf -v record '{"at":"%(%Y-%m-%dT%H:%M:%SZ)T","seat":%s,"authorities":"%s"}' -1 "${NODE[seat.index]}" "${object}"
  parameter_put initialized String false <<<"${record}" && return 0
  [[ ${AWS_ERROR} == ParameterAlreadyExists ]] || fatal record-unwritable "the record of the cluster cannot be written (${AWS_ERROR})"
  cluster_exists
  [[ ${RECORD[authorities]} == "${object}" ]] ||
    fatal cluster-exists "a cluster ${NODE[cluster]} with other authorities is on record since ${RECORD[at]}"
}

initialise_seat() {
  set_volume_stage initialising
  prepare_control_plane create_authorities
  upload_authorities
  # kubeadm's own record of the configuration would name this instance's primary address; see kubeadm-shared.yaml.
  start_control_plane upload-config/kubeadm,upload-certs,show-join-command
  kubeadm init phase upload-config kubeadm --config "${DROWSE_ETC}/kubeadm-shared.yaml" >&2
}

restore_seat() {
  prepare_control_plane check_authorities
  # Shared objects of a cluster that exists belong to Flux and to the operator: a later boot never writes them.
  start_control_plane addon,upload-config,upload-certs,bootstrap-token,show-join-command
}

# prepare_control_plane <command that makes sure of the authorities>
prepare_control_plane() {
  render "${DROWSE_ETC}" '{}'
  "$@"
  use_authorities
}

# start_control_plane <phases to skip>
start_control_plane() {
  point_endpoint_to "${NODE[seat.fixedIp]}"
  allow_kubelet
  run_kubeadm control-plane-failed init --config "${DROWSE_ETC}/kubeadm-init.yaml" --skip-phases "$1"
}

# join_seat: a blank volume becomes a member again. With the authorities from the bucket this seat makes its own administrator
# credentials, so it needs nothing that another seat would have to mint for it in time.
join_seat() {
  wait_until 'the cluster to be initialised by seat 0' cluster-not-initialised 1800 5 cluster_exists
  other_seats
  ((${#OTHERS[@]} > 0)) || fatal state-lost 'the only volume is blank, but the cluster existed: restore it from a snapshot'
  set_volume_stage joining
  prepare_control_plane download_authorities "${RECORD[authorities]}"
  kubeadm init phase certs all --config "${DROWSE_ETC}/kubeadm-init.yaml" >&2
  if [[ -d ${STATE}/etcd/member ]] && ! others_have_quorum; then
    # A join that was cut off after the cluster had counted this member in: of two, neither can do without the other.
    info 'the other seats have no quorum without this one: restoring what it has'
    forget_node_state
    restore_seat
    return 0
  fi
  wait_until 'a quorum of the other seats' state-lost 900 5 find_quorum "${OTHERS[@]}"
  remove_members member_is_this_seat || fatal member-not-removed 'the lost member of this seat cannot be removed'
  rm -rf "${STATE}/etcd"
  wait_until 'the API of another seat' api-unreachable 600 5 find_live_api
  point_endpoint_to "${LIVE_SEAT}"
  allow_kubelet
  join_control_plane
  point_endpoint_to "${NODE[seat.fixedIp]}"
}

# others_have_quorum: gives them a minute; they may be booting as well.
others_have_quorum() {
  local try
  for ((try = 0; try < 12; try++)); do
    ! find_quorum "${OTHERS[@]}" || return 0
    sleep 5
  done
  return 1
}

# find_live_api: the first other seat whose API server is ready, as the global LIVE_SEAT.
find_live_api() {
  local address
  for address in "${OTHERS[@]}"; do
    if curl --silent --fail --max-time 5 --cacert "${PKI}/ca.crt" --output /dev/null "https://${address}:${NODE[endpoint.port]}/readyz"; then
      LIVE_SEAT=${address}
      return 0
    fi
  done
  return 1
}

join_control_plane() {
  local admin=${SCRATCH}/join-admin token
  kubeadm init phase kubeconfig super-admin --config "${DROWSE_ETC}/kubeadm-init.yaml" --kubeconfig-dir "${admin}" >&2
  token=$(kubeadm token create --kubeconfig "${admin}/super-admin.conf" --ttl 30m --description 'a seat that joins')
  rm -rf "${admin}"
  render "${SCRATCH}/join" "{\"token\":\"${token}\",\"caHash\":\"$(ca_hash)\"}"
  run_kubeadm join-failed join --config "${SCRATCH}/join/kubeadm-join.yaml" ||
    fatal token-rejected 'the API does not know the token that this seat minted there'
  rm -rf "${SCRATCH}/join"
}

finish_seat() {
  wait_until 'the API server of this seat' api-not-ready 1200 2 own_api_ready
  record_cluster
  VOLUME[kubernetes]=${NODE[kubernetes.version]}
  VOLUME[etcd]=$(etcd_version)
  set_volume_stage ready
  store_kubeconfig
  tidy_cluster
  phase ready
}

own_api_ready() {
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 5s get --raw /readyz >/dev/null 2>&1
}

# store_kubeconfig: administrator credentials for the operator, as fresh as this boot. The server is named by the fixed name;
# whoever uses them from outside puts a load balancer or a tunnel in its place, and the name still verifies.
store_kubeconfig() {
  local file=${SCRATCH}/operator.conf
  kubeadm kubeconfig user --config "${DROWSE_ETC}/kubeadm-init.yaml" --client-name drowse-operator \
    --org kubeadm:cluster-admins >"${file}"
  kubectl --kubeconfig "${file}" config set-cluster "${NODE[cluster]}" --tls-server-name "${NODE[endpoint.name]}" >/dev/null
  parameter_put kubeconfig SecureString true <"${file}" || fatal kubeconfig-not-stored "the kubeconfig cannot be stored (${AWS_ERROR})"
  rm -f "${file}"
}

# tidy_cluster: now that there is a quorum, what belongs to nobody goes. What cannot go now is tried again by the next boot
# and by the workflows, and is no reason to call a working seat failed.
tidy_cluster() {
  if find_quorum "${NODE[seat.fixedIp]}"; then
    remove_members member_is_no_seat || warn 'dead etcd members could not be removed'
  fi
  remove_stale_nodes || warn 'stale nodes could not be removed'
}

# refuse_older_binaries: etcd and the API server cannot read what a newer minor wrote.
refuse_older_binaries() {
  [[ -n ${VOLUME[etcd]} ]] || return 0
  ! minor_newer "${VOLUME[etcd]}" "$(etcd_version)" ||
    fatal etcd-newer "the data is of etcd ${VOLUME[etcd]}, this node has $(etcd_version)"
  ! minor_newer "${VOLUME[kubernetes]}" "${NODE[kubernetes.version]}" ||
    fatal kubernetes-newer "the data is of Kubernetes ${VOLUME[kubernetes]}, this node has ${NODE[kubernetes.version]}"
}
