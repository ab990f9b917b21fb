# shellcheck shell=bash
#
# /etc/hosts: our two lines, whoever else writes there. The kubelet looks its own node name up before each static pod, and
# each look-up without an answer costs 10 s (73 s instead of 6 for a seat), so both stand there before it starts. Sourced.

# point_endpoint_to <address>: the cluster's fixed name means this address from now on.
point_endpoint_to() {
  local line text=''
  while IFS= read -r line; do
    [[ ${line} == *'# drowse' ]] || text+="${line}"$'\n'
  done </etc/hosts
  text+="$1 ${NODE[endpoint.name]} # drowse"$'\n'
  text+="${FACTS[privateIp]} ${FACTS[instanceId]} # drowse"$'\n'
  write_file /etc/hosts 644 <<<"${text%$'\n'}"
}
