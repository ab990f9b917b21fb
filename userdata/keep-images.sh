#!/usr/bin/env bash
#
# Keeps the images that Kubernetes and the platform run in the bucket, for the instances of later wakes (lib/image-store.sh). Run by
# drowse-images.timer on every seat; only the one that Flux runs on has something to do. What fails is done by the next run.
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
# shellcheck source=lib/image-store.sh
source "${HERE}/lib/image-store.sh"

main() {
  trap close_scratch EXIT
  open_scratch
  load_node_data
  load_facts
  flux_is_here || return 0
  keep_images || warn "the images could not all be kept in the bucket ${AWS_ERROR:+(${AWS_ERROR})}"
}

main "$@"
