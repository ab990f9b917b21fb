#!/usr/bin/env bash
#
# Brings the platform to what its tree says, and waits until each part of it is healthy, in one Run Command: ingress,
# certificates, monitoring and the app, in the order of their dependencies. Where nothing changed and all is healthy it takes
# a few seconds. Nodes that were drained for a sleep are given back first.
#
#   --without WHAT   none, gpu or workers: nodes that AWS has no capacity for now. What needs them is applied all the same, and
#                    gets ready when they come, but nobody waits for it; `workers` are all pool nodes, those with GPUs too
#
# Result: {ok, ready: [kustomization], leftOut: [kustomization], at}. Errors: BadArguments, ApiNotReady, PlatformMissing,
# PlatformNotApplied, FluxNotInstalled, SecretNotMade, NodesNotUncordoned, PlatformNotReady (with failed: [{name, message}]).
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/flux-store.sh
source "${HERE}/../lib/flux-store.sh"
# shellcheck source=../lib/platform.sh
source "${HERE}/../lib/platform.sh"

# The workflow lets it run for 840 s, of which the wait for the API may have taken 60.
readonly PATIENCE_SECONDS=720

# What a part can need, by the label drowse.dev/needs, as a list for each value of the option.
declare -rA MISSING=([none]='[]' [gpu]='["gpu"]' [workers]='["gpu", "workers"]')

main() {
  command_begin reconcile-platform 'without=none|gpu|workers' -- "$@"
  require_api
  platform_begin "${PATIENCE_SECONDS}"
  uncordon_drained
  take_deployed
  install_flux
  make_secrets
  apply_bootstrap cluster.json
  reconcile '[]' "${MISSING[${OPTIONS[without]}]}"
  platform_result
}

main "$@"
