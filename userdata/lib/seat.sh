# shellcheck shell=bash
#
# A control-plane seat: first boot, wake, replacement and reboot are this one path. Sourced.

# How long the cluster may take to follow a changed configuration, in each of two steps: with a real API server they take half a second together.
readonly FOLLOW_SECONDS=60

# When this instance's Kubernetes was stopped: what it renewed before then is of an earlier life.
stopped_at=''

boot_seat() {
  phase control-plane
  stop_kubernetes
  printf -v stopped_at '%(%Y-%m-%dT%H:%M:%SZ)T' -1
  attach_state_volume
  mount_state_volume
  bring_metrics_back
  require_space
  refuse_impossible_changes
  take_fixed_address
  forget_node_state
  bring_artifacts_back
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
  start_control_plane addon,upload-config,upload-certs,show-join-command
}

restore_seat() {
  prepare_control_plane check_authorities
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
  run_kubeadm control-plane-failed init --config "${DROWSE_ETC}/kubeadm-init.yaml" --skip-token-print --skip-phases "$1"
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
  token=$(kubeadm token create --kubeconfig "${admin}/super-admin.conf" --ttl 30m --description 'a seat that joins' \
    --groups "$(token_groups "${FACTS[instanceId]}")")
  rm -rf "${admin}"
  render "${SCRATCH}/join" "{\"token\":\"${token}\",\"caHash\":\"$(ca_hash)\"}"
  run_kubeadm join-failed join --config "${SCRATCH}/join/kubeadm-join.yaml" ||
    fatal token-rejected 'the API does not know the token that this seat minted there'
  rm -rf "${SCRATCH}/join"
}

finish_seat() {
  wait_until 'the API server of this seat' api-not-ready 1200 2 own_api_ready
  # Until that is gone, whoever has a join token can become any node.
  wait_until 'the API server to forget auto-approval' configuration-not-applied 120 2 take_auto_approval_away
  # From now on certificates are approved, this seat's own first of all, and CloudWatch hears that the API answers.
  systemctl start --no-block drowse-approver.service drowse-heartbeat.timer
  # Until yesterday's leases are free, nobody schedules, signs, or notices that pods are dead.
  remove_stale "${stopped_at}" || warn 'what names dead instances could not all be removed'
  if ! follow_configuration; then
    [[ ${VOLUME[stage]} != initialising ]] || fatal configuration-not-applied 'the first configuration cannot be written to the cluster'
    warn 'the cluster does not follow the configuration yet; the next boot tries again'
  fi
  record_cluster
  note_what_runs
  set_volume_stage ready
  # Where the configuration names people, each has a certificate of his own (commands/issue-certificate.sh).
  [[ ${NODE[seat.namedOperators]:-false} == true ]] || store_kubeconfig
  tidy_members
  phase ready
}

# follow_configuration: what all nodes share, as this boot's configuration has it: kubeadm's and the kubelets' ConfigMaps, kube-proxy, CoreDNS
# (of which a changed Corefile stays). A mark on kubeadm's ConfigMap says which configuration that was: where nothing changed there is nothing
# to do, and a seat that is yet of an older version takes nothing back.
follow_configuration() {
  local shared=${DROWSE_ETC}/kubeadm-shared.yaml wanted applied running
  wanted=$(configuration_mark "${shared}") || return 1
  applied=$(cluster_kubectl --namespace kube-system get configmap kubeadm-config --ignore-not-found \
    --output 'jsonpath={.metadata.annotations.drowse\.dev/applied}') || return 1
  if [[ ${applied} =~ ^(1\.[0-9]+\.[0-9]+)\ [0-9a-f]{64}$ ]]; then
    [[ ${applied} != "${wanted}" ]] || return 0
    if version_newer "${BASH_REMATCH[1]}" "${NODE[kubernetes.version]}"; then
      info "the cluster is at ${applied% *} already"
      return 0
    fi
  fi
  info "the cluster follows the configuration of ${NODE[kubernetes.version]}"
  # kubeadm itself tries for as long as a seat may wait for its quorum, which is there by now.
  timeout "${FOLLOW_SECONDS}" kubeadm init phase upload-config all --config "${shared}" >&2 || return 1
  timeout "${FOLLOW_SECONDS}" kubeadm init phase addon all --config "${shared}" >&2 || return 1
  # For who deploys: what of it can be changed depends on what runs.
  printf -v running '{"kubernetes":"%s","podCidr":"%s","serviceCidr":"%s","seats":%s}' "${NODE[kubernetes.version]}" \
    "${NODE[kubernetes.podCidr]}" "${NODE[kubernetes.serviceCidr]}" "$(number_of_seats)"
  parameter_put running String true <<<"${running}" || return 1
  cluster_kubectl --namespace kube-system annotate configmap kubeadm-config --overwrite "drowse.dev/applied=${wanted}" >&2
}

# configuration_mark <file>: the version and a digest of all that is the same on each seat, which is everything but the first document.
configuration_mark() {
  local text digest
  text=$(<"$1")
  digest=$(sha256sum <<<"${text#*$'\n---\n'}") || return 1
  printf '%s %s' "${NODE[kubernetes.version]}" "${digest%% *}"
}

number_of_seats() {
  list_of NODE endpoint.seats
  printf '%s' "${#LIST[@]}"
}

# note_what_runs: on the volume, for the boot of a later configuration.
note_what_runs() {
  VOLUME[kubernetes]=${NODE[kubernetes.version]}
  VOLUME[etcd]=$(etcd_version)
  VOLUME[podCidr]=${NODE[kubernetes.podCidr]}
  VOLUME[serviceCidr]=${NODE[kubernetes.serviceCidr]}
  VOLUME[seats]=$(number_of_seats)
}

own_api_ready() {
  kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --request-timeout 5s get --raw /readyz >/dev/null 2>&1
}

# tidy_members: now that there is a quorum, members that are no seat's go. What cannot go now is tried again by the next boot, and is
# no reason to call a working seat failed.
tidy_members() {
  find_quorum "${NODE[seat.fixedIp]}" || return 0
  remove_members member_is_no_seat || warn 'dead etcd members could not be removed'
}

# refuse_impossible_changes: before anything starts on the data. etcd and the API server cannot read what a newer minor wrote, nor skip one; the
# networks of a cluster are for life; and of three members one alone has no quorum. What an older seat did not note is not asked.
refuse_impossible_changes() {
  local field seats
  for field in podCidr serviceCidr; do
    [[ -z ${VOLUME[${field}]:-} || ${VOLUME[${field}]} == "${NODE[kubernetes.${field}]}" ]] ||
      fatal networks-changed "${field} of this cluster is ${VOLUME[${field}]} for life, and cannot become ${NODE[kubernetes.${field}]}"
  done
  seats=$(number_of_seats)
  [[ ${VOLUME[seats]:-1} != 3 || ${seats} == 3 ]] || fatal seats-removed "the data is of 3 seats; with ${seats} there is no quorum"
  [[ -n ${VOLUME[etcd]} ]] || return 0
  ! minor_newer "${VOLUME[etcd]}" "$(etcd_version)" ||
    fatal etcd-newer "the data is of etcd ${VOLUME[etcd]}, this node has $(etcd_version)"
  ! minor_newer "${VOLUME[kubernetes]}" "${NODE[kubernetes.version]}" ||
    fatal kubernetes-newer "the data is of Kubernetes ${VOLUME[kubernetes]}, this node has ${NODE[kubernetes.version]}"
  ! minors_skipped "${VOLUME[kubernetes]}" "${NODE[kubernetes.version]}" ||
    fatal kubernetes-skips-minor "the data is of Kubernetes ${VOLUME[kubernetes]}, this node has ${NODE[kubernetes.version]}: deploy each minor in between, and wake the cluster with it"
}
