#!/usr/bin/env bash
#
# The life of a node. One entry for first boot, wake, replacement and reboot:
#
#   node.sh enable <digest>             first boot: install our systemd units and start the node (called by user data)
#   node.sh install <profile> <digest>  the install stage alone, to bake an image; profile is seat, pool or gpu
#   node.sh run                         install (unless the image carries it) and boot (called by drowse-node.service)
#
# digest is the SHA-256 of the node bundle that this script came in. Everything about the cluster comes from
# /etc/drowse/node.json, everything about the instance from the metadata service; no other variable is read.
# Phases appear as the instance's drowse:phase tag: booting, runtime, then control-plane, ready for a seat, and
# waiting-for-token, joining, ready for a pool node; or failed:<reason>, with the log's end in the bucket below logs/.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=lib/common.sh
source "${HERE}/lib/common.sh"
# shellcheck source=lib/aws.sh
source "${HERE}/lib/aws.sh"
# shellcheck source=lib/node.sh
source "${HERE}/lib/node.sh"
# shellcheck source=lib/hosts.sh
source "${HERE}/lib/hosts.sh"
# shellcheck source=lib/install.sh
source "${HERE}/lib/install.sh"
# shellcheck source=lib/etcd.sh
source "${HERE}/lib/etcd.sh"
# shellcheck source=lib/kubernetes.sh
source "${HERE}/lib/kubernetes.sh"
# shellcheck source=lib/volume.sh
source "${HERE}/lib/volume.sh"
# shellcheck source=lib/metrics.sh
source "${HERE}/lib/metrics.sh"
# shellcheck source=lib/address.sh
source "${HERE}/lib/address.sh"
# shellcheck source=lib/authorities.sh
source "${HERE}/lib/authorities.sh"
# shellcheck source=lib/stale.sh
source "${HERE}/lib/stale.sh"
# shellcheck source=lib/tokens.sh
source "${HERE}/lib/tokens.sh"
# shellcheck source=lib/operator.sh
source "${HERE}/lib/operator.sh"
# shellcheck source=lib/flux-store.sh
source "${HERE}/lib/flux-store.sh"
# shellcheck source=lib/seat.sh
source "${HERE}/lib/seat.sh"
# shellcheck source=lib/pool.sh
source "${HERE}/lib/pool.sh"

main() {
  case ${1:-} in
    enable) enable "$2" ;;
    install) install_alone "$2" "$3" ;;
    run) run ;;
    *) fatal usage 'usage: node.sh enable DIGEST | install PROFILE DIGEST | run' ;;
  esac
}

enable() {
  write_file "${DROWSE_ETC}/bundle" 644 <<<"$1"
  lay_out "${DROWSE_HOME}/files/etc/systemd" /etc/systemd
  systemctl daemon-reload
  systemctl enable drowse-node.service drowse-registry.service drowse-logs.timer drowse-flux.timer drowse-images.timer
  systemctl start drowse-registry.service drowse-logs.timer drowse-flux.timer drowse-images.timer
  systemctl start --no-block drowse-node.service
}

install_alone() {
  trap close_scratch EXIT
  open_scratch
  install_stage "$1" "$2"
}

run() {
  local digest profile
  trap on_exit EXIT
  open_scratch
  open_metrics
  load_node_data
  load_facts
  phase booting
  check_clock
  phase runtime
  read -r digest <"${DROWSE_ETC}/bundle"
  profile=$(profile_of_node)
  install_stage "${profile}" "${digest}"
  start_runtime "${profile}"
  "boot_${NODE[role]}"
}

profile_of_node() {
  if [[ ${NODE[pool.gpu]:-false} == true ]]; then
    printf gpu
  else
    printf '%s' "${NODE[role]}"
  fi
}

# start_runtime <profile>: settings that do not survive a reboot by themselves, and a runtime that answers.
start_runtime() {
  systemctl start containerd.service
  wait_until 'the container runtime' runtime-not-ready 60 2 runtime_answers
  check_runtime "$1"
}

on_exit() {
  local code=$?
  trap - EXIT
  ((code == 0)) || report_failure
  close_scratch
  exit "${code}"
}

main "$@"
