#!/usr/bin/env bash
#
# Puts Flux and the network plugin into a new cluster: no node gets Ready without one, and Flux brings everything else. What
# is applied is what a deploy names by its digest. No options.
#
# Result: {ok, ready: [kustomization], leftOut: [], at}. Errors: ApiNotReady, PlatformMissing, PlatformNotApplied,
# FluxNotInstalled, SecretNotMade, PlatformNotReady (with failed: [{name, message}]).
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/flux-store.sh
source "${HERE}/../lib/flux-store.sh"
# shellcheck source=../lib/platform.sh
source "${HERE}/../lib/platform.sh"

# The workflow lets it run for 840 s, of which the wait for the API may have taken 60. Most of it goes
# by where the images of Flux and the network plugin come slowly.
readonly PATIENCE_SECONDS=720

main() {
  command_begin install-network -- "$@"
  require_api
  platform_begin "${PATIENCE_SECONDS}"
  take_deployed
  install_flux
  make_secrets
  apply_bootstrap cluster.json
  # What the network plugin itself depends on is the tree's to say: each waits for its own.
  reconcile '["base", "network", "network-config"]'
  within 120 3 node_ready || not_ready_node
  platform_result
}

# This seat's own node: the plugin works where it is looked at from.
node_ready() {
  cluster_kubectl get node "${FACTS[instanceId]}" --output json >"${SCRATCH}/node-status.json" || return 1
  jq --exit-status 'any(.status.conditions[]?; .type == "Ready" and .status == "True")' "${SCRATCH}/node-status.json" >/dev/null
}

not_ready_node() {
  require_answer
  [[ -s ${SCRATCH}/node-status.json ]] || fatal platform-not-ready "the API does not know the node ${FACTS[instanceId]}"
  FAILURE_DETAILS=$(jq --compact-output '{failed: [{name: "node/\(.metadata.name)",
    message: ([.status.conditions[]? | select(.type == "Ready") | .message][0] // "nothing")[:300]}]}' "${SCRATCH}/node-status.json")
  fatal platform-not-ready "the network is there, and the node ${FACTS[instanceId]} is not ready"
}

main "$@"
