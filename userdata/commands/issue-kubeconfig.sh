#!/usr/bin/env bash
#
# Makes new administrator credentials for the operator, on a seat, and stores them where a boot does. No options.
#
# Result: {ok, parameter, hours}. Errors: ApiNotReady, KubeconfigNotStored.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/operator.sh
source "${HERE}/../lib/operator.sh"

main() {
  command_begin issue-kubeconfig -- "$@"
  require_api
  store_kubeconfig
  printf '{"ok":true,"parameter":"/drowse/%s/kubeconfig","hours":%d}\n' "${NODE[cluster]}" "${OPERATOR_HOURS}" >&3
}

main "$@"
