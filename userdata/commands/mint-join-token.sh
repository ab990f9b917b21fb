#!/usr/bin/env bash
#
# Mints a join token for a pool, on a seat, and writes it where only that pool's nodes can read it. The token leaves the seat in
# no other way: not in the output, not in a log, not in an argument.
#
#   --pool NAME   the pool
#
# Result: {ok, parameter, expiresAt}. Errors: BadArguments, ApiNotReady, TokenNotMinted, ParameterNotWritten.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/authorities.sh
source "${HERE}/../lib/authorities.sh"

# Longer than a node needs from reading it to its join, shorter than anything worth stealing (seconds).
readonly TOKEN_SECONDS=1800

main() {
  command_begin mint-join-token 'pool=[a-z0-9-]{1,40}' -- "$@"
  local pool=${OPTIONS[pool]} token hash expires
  require_api
  printf -v expires '%(%Y-%m-%dT%H:%M:%SZ)T' $((EPOCHSECONDS + TOKEN_SECONDS))
  token=$(kubeadm token create --kubeconfig "${KUBECONFIG_ADMIN}" --ttl "${TOKEN_SECONDS}s" --description "pool ${pool}") ||
    fatal token-not-minted 'kubeadm minted no token'
  hash=$(ca_hash)
  parameter_put "join/${pool}" SecureString true <<JSON ||
{"endpoint":"${NODE[endpoint.name]}:${NODE[endpoint.port]}","token":"${token}","caHash":"${hash}","expiresAt":"${expires}"}
JSON
    fatal parameter-not-written "the join parameter of ${pool} cannot be written (${AWS_ERROR})"
  printf '{"ok":true,"parameter":"%s","expiresAt":"%s"}\n' "/drowse/${NODE[cluster]}/join/${pool}" "${expires}" >&3
}

main "$@"
