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
  local pool=${OPTIONS[pool]} file=${DROWSE_RUN}/join-token.json token expires
  require_api
  printf -v expires '%(%Y-%m-%dT%H:%M:%SZ)T' $((EPOCHSECONDS + TOKEN_SECONDS))
  token=$(kubeadm token create --kubeconfig "${KUBECONFIG_ADMIN}" --ttl "${TOKEN_SECONDS}s" --description "pool ${pool}") ||
    fatal token-not-minted 'kubeadm minted no token'
  write_file "${file}" 600 <<<"{\"endpoint\":\"${NODE[endpoint.name]}:${NODE[endpoint.port]}\",\"token\":\"${token}\",\"caHash\":\"$(ca_hash)\",\"expiresAt\":\"${expires}\"}"
  parameter_put "join/${pool}" SecureString true "${file}" ||
    fatal parameter-not-written "the join parameter of ${pool} cannot be written (${AWS_ERROR})"
  rm -f "${file}"
  jq --null-input --compact-output --arg parameter "/drowse/${NODE[cluster]}/join/${pool}" --arg expiresAt "${expires}" '{ok: true, $parameter, $expiresAt}' >&3
}

main "$@"
