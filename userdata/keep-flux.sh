#!/usr/bin/env bash
#
# Gives Flux the tree that a deploy names, keeps what it has fetched beyond this seat, and lets it fetch nothing twice
# (lib/flux-store.sh). Run by drowse-flux.timer on
# every seat; only the one that Flux runs on has something to do. What fails is done by the next run.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=lib/common.sh
source "${HERE}/lib/common.sh"
# shellcheck source=lib/aws.sh
source "${HERE}/lib/aws.sh"
# shellcheck source=lib/node.sh
source "${HERE}/lib/node.sh"
# shellcheck source=lib/stale.sh
source "${HERE}/lib/stale.sh"
# shellcheck source=lib/flux-store.sh
source "${HERE}/lib/flux-store.sh"

main() {
  trap close_scratch EXIT
  open_scratch
  load_node_data
  load_facts
  flux_is_here || return 0
  offer_tree || warn "the tree that was deployed could not be given to Flux ${AWS_ERROR:+(${AWS_ERROR})}"
  settle_sources || warn 'sources of Flux could not be held or freed'
  keep_artifacts || warn "the artifacts of Flux could not be kept in the bucket ${AWS_ERROR:+(${AWS_ERROR})}"
}

main "$@"
