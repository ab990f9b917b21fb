#!/usr/bin/env bash
#
# Mints a join token for each of some instances, on a seat, and writes it where that instance alone can read it. A token leaves the
# seat in no other way: not in the output, not in a log, not in an argument. It is of a group of its own, by which the seats know for
# which instance it may ask for a certificate (lib/approve.py).
#
#   --pool NAME         the pool of the instances
#   --instance-ids IDS  the instances, with commas in between; at most 25
#
# Result: {ok, parameters: […], expiresAt}. Errors: BadArguments, ApiNotReady, TokenNotMinted, ParameterNotWritten.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit

readonly HERE=${BASH_SOURCE[0]%/*}
# shellcheck source=../lib/command.sh
source "${HERE}/../lib/command.sh"
# shellcheck source=../lib/authorities.sh
source "${HERE}/../lib/authorities.sh"
# shellcheck source=../lib/tokens.sh
source "${HERE}/../lib/tokens.sh"

# Longer than a node needs from reading it to its join, shorter than anything worth stealing (seconds).
readonly TOKEN_SECONDS=1800
readonly INSTANCE='i-[0-9a-f]{8,17}'

main() {
  command_begin mint-join-token 'pool=[a-z0-9-]{1,40}' "instance-ids=${INSTANCE}(,${INSTANCE}){0,24}" -- "$@"
  local hash expires instance instances=() parameters=''
  require_api
  printf -v expires '%(%Y-%m-%dT%H:%M:%SZ)T' $((EPOCHSECONDS + TOKEN_SECONDS))
  hash=$(ca_hash)
  IFS=, read -r -a instances <<<"${OPTIONS["instance-ids"]}"
  for instance in "${instances[@]}"; do
    mint "${instance}" "${hash}" "${expires}"
    parameters+=",\"/drowse/${NODE[cluster]}/join/${OPTIONS[pool]}/${instance}\""
  done
  printf '{"ok":true,"parameters":[%s],"expiresAt":"%s"}\n' "${parameters#,}" "${expires}" >&3
}

# mint <instance ID> <hash of the authority> <when it expires>
mint() {
  local name=join/${OPTIONS[pool]}/$1 token
  token=$(kubeadm token create --kubeconfig "${KUBECONFIG_ADMIN}" --ttl "${TOKEN_SECONDS}s" --description "${name}" \
    --groups "$(token_groups "$1")") || fatal token-not-minted 'kubeadm minted no token'
  parameter_put_for "${name}" "${FACTS[arn]%/*}/$1" <<JSON || fatal parameter-not-written "the join parameter of $1 cannot be written (${AWS_ERROR})"
{"endpoint":"${NODE[endpoint.name]}:${NODE[endpoint.port]}","token":"${token}","caHash":"$2","expiresAt":"$3"}
JSON
}

main "$@"
