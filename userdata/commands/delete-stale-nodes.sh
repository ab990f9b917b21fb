#!/usr/bin/env bash
#
# Deletes Node objects and volume attachments of instances that are gone. No options.
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
  remove_stale_nodes || fatal stale-not-deleted 'stale nodes or attachments could not all be deleted'
  jq --null-input --compact-output --argjson attachments "${STALE_ATTACHMENTS}" \
    '{ok: true, nodes: $ARGS.positional, volumeAttachments: $attachments}' --args "${STALE_NODES[@]}" >&3
}

main "$@"
