#!/usr/bin/env bash
#
# Packs what one wants to see when something is wrong (never a Secret) and puts it into the bucket. Runs on any node; what cannot be
# collected leaves its error in the archive. No options.
#
# Result: {ok, key, bytes}. Errors: DiagnosticsNotStored.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/etcd.sh
source "${HERE}/../lib/etcd.sh"

main() {
  command_begin collect-diagnostics -- "$@"
  local folder=${DROWSE_VAR}/diagnostics archive=${DROWSE_VAR}/diagnostics.tar.gz key at
  at=$(utc_now)
  key=$(log_key "diagnostics-${at//:/-}.tar.gz")
  rm -rf "${folder}"
  mkdir -p "${folder}"
  collect system
  collect network
  [[ ! -e ${KUBECONFIG_ADMIN} ]] || collect cluster
  tar --create --gzip --file "${archive}" --directory "${folder}" --sort name .
  s3_put "${archive}" "${key}" || fatal diagnostics-not-stored "the bucket does not take ${key} (${AWS_ERROR})"
  local bytes
  bytes=$(stat --format %s "${archive}")
  rm -rf "${folder}" "${archive}"
  printf '{"ok":true,"key":"%s","bytes":%s}\n' "${key}" "${bytes}" >&3
}

collect() { "collect_$1"; }

# keep <name> <command…>: its output, or its error, as a file of the archive.
keep() {
  timeout 60 "${@:2}" >"${DROWSE_VAR}/diagnostics/$1" 2>&1 || printf '\nended with %s\n' $? >>"${DROWSE_VAR}/diagnostics/$1"
}

collect_system() {
  keep journal.txt journalctl --boot --no-pager --lines 5000 --output short-iso --unit drowse-node --unit kubelet --unit containerd
  keep kernel.txt journalctl --boot --no-pager --dmesg --lines 1000 --output short-iso
  keep disks.txt df --human-readable
  keep block-devices.txt lsblk --output NAME,SIZE,FSTYPE,LABEL,MOUNTPOINT
  keep memory.txt free --mebi
  keep addresses.txt ip address
  keep routes.txt ip route
  keep containers.txt crictl ps --all
  keep images.txt crictl images
  keep failed-units.txt systemctl list-units --failed --no-pager
  cp "${DROWSE_ETC}/node.json" "${DROWSE_RUN}/facts.json" "${DROWSE_VAR}/diagnostics/"
  [[ ${NODE[pool.gpu]:-false} != true ]] || keep gpu.txt nvidia-smi
}

# What Calico's own `calicoctl node diags` collects of a node, and what kube-proxy made of Services. Rules name addresses and no secrets.
collect_network() {
  keep links.txt ip -details -statistics link
  keep neighbours.txt ip neighbour
  keep routing-rules.txt ip rule
  keep forwarding.txt bridge fdb show
  keep sockets.txt ss --all --numeric --processes
  keep connections.txt conntrack --count
  keep connections-by-processor.txt conntrack --stats
  keep iptables.txt iptables-save --counters
  keep nftables.txt nft list ruleset
  keep ipsets.txt ipset list
}

collect_cluster() {
  # Who changed what lately: metadata alone (audit-policy.yaml).
  [[ ! -e /var/log/kubernetes/audit.log ]] || keep audit.jsonl tail --lines 5000 /var/log/kubernetes/audit.log
  keep nodes.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get nodes --output wide
  keep nodes-described.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" describe nodes
  keep pods.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get pods --all-namespaces --output wide
  keep events.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get events --all-namespaces --sort-by .lastTimestamp
  keep workloads.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get deployments,daemonsets,statefulsets,jobs,persistentvolumeclaims --all-namespaces
  keep kustomizations.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get kustomizations.kustomize.toolkit.fluxcd.io --all-namespaces
  keep calico.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get tigerastatuses,installations,ippools.crd.projectcalico.org,blockaffinities.crd.projectcalico.org,ipamblocks.crd.projectcalico.org,felixconfigurations.crd.projectcalico.org --output wide
  keep calico-pods.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" --namespace calico-system logs --selector k8s-app=calico-node --container calico-node --tail 200 --prefix
  keep network-policies.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get networkpolicies --all-namespaces --output wide
  keep requests.txt kubectl --kubeconfig "${KUBECONFIG_ADMIN}" get certificatesigningrequests
  keep etcd.txt etcdctl --endpoints "https://${NODE[seat.fixedIp]}:2379" --write-out table endpoint status --cluster
}

main "$@"
