# shellcheck shell=bash
#
# Credentials by which people reach the cluster. Sourced.

# How long an operator's certificate holds: nobody can take one back, so one that gets lost is worth nothing the next day.
readonly OPERATOR_HOURS=12

# store_kubeconfig: administrator credentials for the operator, made now. The server is named by the fixed name; whoever uses them
# from outside puts a load balancer or a tunnel in its place, and the name still verifies.
store_kubeconfig() {
  local file=${SCRATCH}/operator.conf
  kubeadm kubeconfig user --config "${DROWSE_ETC}/kubeadm-init.yaml" --client-name drowse-operator \
    --org kubeadm:cluster-admins --validity-period "${OPERATOR_HOURS}h" >"${file}"
  kubectl --kubeconfig "${file}" config set-cluster "${NODE[cluster]}" --tls-server-name "${NODE[endpoint.name]}" >/dev/null
  parameter_put kubeconfig SecureString true <"${file}" || fatal kubeconfig-not-stored "the kubeconfig cannot be stored (${AWS_ERROR})"
  rm -f "${file}"
}
