#!/usr/bin/env bash
#
# Removes from the cluster what names instances that are gone: Nodes, their pods, volume attachments and leader leases. No options.
#
# Result: {ok, nodes: [node], volumeAttachments: n}. Errors: ApiNotReady, StaleNotDeleted.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"

main() {
  command_begin delete-stale-nodes -- "$@"
  require_api
  remove_stale '' || fatal stale-not-deleted 'what names dead instances could not all be removed'
  jq --null-input --compact-output --argjson attachments "${STALE_ATTACHMENTS}" \
    '{ok: true, nodes: $ARGS.positional, volumeAttachments: $attachments}' --args "${STALE_NODES[@]}" >&3
}

main "$@"
