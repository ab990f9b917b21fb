# shellcheck shell=bash
#
# What seats and pool nodes do alike around kubeadm and the kubelet. Sourced.

# render <folder> <more values, as JSON>: node data, facts and these become kubeadm's files in the folder.
render() {
  write_file "${SCRATCH}/more.json" 600 <<<"$2"
  python "${DROWSE_HOME}/lib/render.py" "${DROWSE_HOME}/templates" "$1" \
    "${DROWSE_ETC}/node.json" "${DROWSE_RUN}/facts.json" "${SCRATCH}/more.json" ||
    fatal bad-document 'the configuration cannot be rendered from node data'
}

# stop_kubernetes: whatever an earlier, interrupted run left running on this instance; kubeadm expects free ports.
stop_kubernetes() {
  local pods=()
  rm -f "${DROWSE_RUN}/kubelet-may-start"
  systemctl stop kubelet.service
  mapfile -t pods < <(crictl pods --namespace kube-system --label tier=control-plane --quiet)
  ((${#pods[@]} == 0)) || crictl rmp --force "${pods[@]}" >/dev/null
}

# forget_node_state: certificates, credentials and manifests of this instance's earlier life. A leaf certificate never
# outlives a sleep that way; authorities are elsewhere.
forget_node_state() {
  rm -rf "${PKI}" /etc/kubernetes/manifests /etc/kubernetes/encryption /etc/kubernetes/*.conf \
    /var/lib/kubelet/pki /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env \
    /var/lib/kubelet/instance-config.yaml /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state
  mkdir -p /etc/kubernetes/manifests
}

# allow_kubelet: from here on kubeadm may start it (see its drop-in).
allow_kubelet() { : >"${DROWSE_RUN}/kubelet-may-start"; }

# run_kubeadm <reason> <words…>: its output goes to our log. Fails only if the API does not know the token, which a caller can
# mend with a fresh one; anything else is fatal, by a name of its own where its words allow.
run_kubeadm() {
  local reason=$1 output=${SCRATCH}/kubeadm.log code=0 text
  shift
  kubeadm "$@" >"${output}" 2>&1 || code=$?
  text=$(<"${output}")
  printf '%s\n' "${text}" >&2
  ((code != 0)) || return 0
  ! tells_of_full_etcd "${text}" || fatal etcd-no-space 'etcd is full and takes no changes until that is mended'
  case ${text} in
    *'could not find a JWS signature'* | *'failed to verify JWS signature'* | *Unauthorized*) return 1 ;;
    *'none of the public keys'*) fatal ca-mismatch 'the API server does not have the authority that its pin names' ;;
    *'no space left on device'*) fatal disk-full 'kubeadm finds the disk full' ;;
    *) fatal "${reason}" "kubeadm $1 failed; the log has its words" ;;
  esac
}
