# shellcheck shell=bash
#
# A pool node: proves its GPU, waits for its join token, joins, and is ready when its kubelet says so. Sourced.

# Within the 30 minutes that the launch hook gives a node, install included.
readonly TOKEN_SECONDS=1200
readonly API_SECONDS=600
readonly JOIN_TRIES=5

declare -gA JOIN=()
rejected_token=''

boot_pool() {
  [[ ${NODE[pool.gpu]:-false} != true ]] || wait_until 'the GPU' gpu-not-visible 120 5 gpu_visible
  route_to_api
  if joined_already; then
    info 'this instance joined before; its kubelet only has to start'
    phase joining
    allow_kubelet
    systemctl start kubelet.service
  else
    stop_kubernetes
    forget_node_state
    render "${DROWSE_ETC}" '{}'
    join_cluster
  fi
  wait_until 'the kubelet to be ready' node-not-ready 600 2 node_ready
  phase ready
}

gpu_visible() { [[ $(nvidia-smi --query-gpu=uuid --format=csv,noheader 2>/dev/null) == GPU-* ]]; }

# joined_already: credentials of an earlier boot that are good for at least another day.
joined_already() {
  [[ -s /etc/kubernetes/kubelet.conf && -s /var/lib/kubelet/config.yaml ]] &&
    openssl x509 -checkend 86400 -noout -in /var/lib/kubelet/pki/kubelet-client-current.pem >/dev/null 2>&1
}

# route_to_api: the fixed name means the single seat, or a local proxy that knows which of the three are up.
route_to_api() {
  list_of NODE endpoint.seats
  if ((${#LIST[@]} == 1)); then
    point_endpoint_to "${LIST[0]}"
    return 0
  fi
  write_proxy_configuration
  systemctl enable haproxy.service
  systemctl restart haproxy.service
  point_endpoint_to 127.0.0.1
}

# write_proxy_configuration: TLS is passed through, so the API server's certificate is verified end to end by whoever connects;
# the health check carries nothing that would be worth verifying for.
write_proxy_configuration() {
  local index servers=''
  for index in "${!LIST[@]}"; do
    servers+="  server seat-${index} ${LIST[index]}:${NODE[endpoint.port]}"$'\n'
  done
  write_file /etc/haproxy/haproxy.cfg 644 <<CFG
global
  maxconn 4000
  log /dev/log local0 notice

defaults
  mode tcp
  log global
  timeout connect 2s
  # Watches are quiet for long.
  timeout client 1h
  timeout server 1h
  option clitcpka
  option srvtcpka
  option redispatch
  retries 2

frontend api
  bind 127.0.0.1:${NODE[endpoint.port]}
  default_backend seats

backend seats
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
  # A dead seat is found within four seconds, and its connections are cut so that clients open new ones at once.
  default-server check check-ssl verify none inter 2s fall 2 rise 1 on-marked-down shutdown-sessions
${servers}
CFG
}

# join_cluster: through "no token yet", "expired", "API not up" and "token not known", each within its bound.
join_cluster() {
  local try
  for ((try = 1; try <= JOIN_TRIES; try++)); do
    phase waiting-for-token
    wait_until 'a join token for this instance' token-missing "${TOKEN_SECONDS}" 5 token_usable
    phase joining
    wait_until 'the API' api-unreachable "${API_SECONDS}" 5 api_listens
    render "${SCRATCH}/join" "{\"token\":\"${JOIN[token]}\",\"caHash\":\"${JOIN[caHash]}\"}"
    allow_kubelet
    if run_kubeadm join-failed join --config "${SCRATCH}/join/kubeadm-join.yaml"; then
      rm -rf "${SCRATCH}/join"
      return 0
    fi
    warn "the API does not know this token (try ${try} of ${JOIN_TRIES})"
    rejected_token=${JOIN[token]}
    stop_kubernetes
    forget_node_state
  done
  fatal token-rejected "the API took none of ${JOIN_TRIES} tokens"
}

# token_usable: reads the parameter of this instance; only a token that is not known to be dead will do.
token_usable() {
  local now
  if ! parameter_get "join/${NODE[pool.name]}/${FACTS[instanceId]}" "${SCRATCH}/token.json"; then
    WAIT_REASON="token-missing"
    [[ ${AWS_ERROR} == ParameterNotFound ]] || warn "the join parameter cannot be read (${AWS_ERROR})"
    return 1
  fi
  load_flat JOIN "${SCRATCH}/token.json"
  rm -f "${SCRATCH}/token.json"
  [[ ${JOIN[endpoint]} == "${NODE[endpoint.name]}:${NODE[endpoint.port]}" ]] ||
    fatal token-foreign "the join parameter is for ${JOIN[endpoint]}, not for this cluster"
  printf -v now '%(%Y-%m-%dT%H:%M:%SZ)T' $((EPOCHSECONDS + 30))
  if [[ ${JOIN[expiresAt]} < ${now} ]]; then
    WAIT_REASON="token-expired"
    return 1
  fi
  if [[ ${JOIN[token]} == "${rejected_token}" ]]; then
    WAIT_REASON="token-rejected"
    return 1
  fi
}

# api_listens: only that somebody answers there; who it is, kubeadm verifies by the hash of the authority.
api_listens() {
  timeout 3 bash -c ": </dev/tcp/${NODE[endpoint.name]}/${NODE[endpoint.port]}" 2>/dev/null
}

node_ready() {
  [[ $(curl --silent --max-time 3 http://127.0.0.1:10248/healthz) == ok ]] || return 1
  [[ $(kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout 5s get node "${FACTS[instanceId]}" \
    --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == True ]]
}
