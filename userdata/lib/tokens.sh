# shellcheck shell=bash
#
# What a join token is worth: a certificate for one instance, which a seat signs. Sourced.

# kubeadm's own group of tokens: whoever is in it may ask for a certificate, and read what a join needs.
readonly KUBEADM_TOKENS=system:bootstrappers:kubeadm:default-node-token
# kubeadm lets the cluster sign whatever that group asks for, under any name.
readonly AUTO_APPROVAL=clusterrolebinding/kubeadm:node-autoapprove-bootstrap

# token_groups <instance ID>: for `kubeadm token create --groups`.
token_groups() { printf '%s,system:bootstrappers:drowse:%s' "${KUBEADM_TOKENS}" "$1"; }

# take_auto_approval_away: kubeadm makes it at the first initialisation, and an old snapshot brings it back.
take_auto_approval_away() {
  cluster_kubectl delete "${AUTO_APPROVAL}" --ignore-not-found >&2
}
