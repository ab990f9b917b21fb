#!/usr/bin/env bash
#
# Gives back the nodes that drain-nodes.sh cordoned for a sleep that did not take place. What a person cordoned stays so. No options.
#
# Result: {ok}. Errors: ApiNotReady, NodesNotUncordoned.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/flux-store.sh
source "${HERE}/../lib/flux-store.sh"
# shellcheck source=../lib/platform.sh
source "${HERE}/../lib/platform.sh"

readonly PATIENCE_SECONDS=60

main() {
  command_begin uncordon-nodes -- "$@"
  require_api
  platform_begin "${PATIENCE_SECONDS}"
  uncordon_drained
  printf '{"ok":true}\n' >&3
}

main "$@"
